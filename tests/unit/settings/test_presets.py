"""The named sets of settings, and what is refused of changes to them."""

import dataclasses
import itertools

import pytest

from cageflow.errors import UserError
from cageflow.settings.presets import PRESETS, Preset, find_preset


def test_reference__is_the_prototypes_learner_detail_by_detail():
    rollout, config = PRESETS["reference"]
    assert config.hidden_sizes == (64, 64)
    assert config.activation == "tanh"
    assert config.learning_rate == 0.002
    assert config.adam_betas == (0.9, 0.99)
    assert config.gamma == 0.99
    assert config.clip_coef == 0.2
    assert config.update_epochs == 6
    assert config.num_minibatches == 1
    assert config.gae_lambda is None
    assert config.ent_coef == 0.01
    assert config.vf_coef == 0.5
    assert rollout.episodes_per_update == 200
    assert config.max_grad_norm is None
    assert config.target_kl is None
    assert not config.has_schedule
    assert not config.orthogonal_init
    assert not rollout.mask_actions
    assert not config.bootstrap_truncation


def test_default__has_what_the_field_knows_to_be_better():
    rollout, config = PRESETS["default"]
    assert config.gae_lambda is not None
    assert config.num_minibatches > 1
    assert config.norm_adv
    assert config.orthogonal_init
    assert config.final_learning_rate is not None
    assert config.final_learning_rate < config.learning_rate
    assert config.final_ent_coef is not None
    assert config.final_ent_coef < config.ent_coef
    assert config.max_grad_norm is not None
    assert config.target_kl is not None
    assert rollout.mask_actions
    assert config.bootstrap_truncation


def test_preset__replaces_single_settings():
    rollout, learner = PRESETS["reference"]
    changed = find_preset("reference", {"clip_coef": 0.1, "hidden_sizes": [32], "memory": True})
    assert changed == Preset(
        dataclasses.replace(rollout, memory=True), dataclasses.replace(learner, clip_coef=0.1, hidden_sizes=(32,))
    )


def test_preset__refuses_an_unknown_preset_and_names_those_there_are():
    with pytest.raises(UserError, match=r"unknown preset 'best': choose one of champion, default, reference"):
        find_preset("best")


def test_preset__refuses_an_unknown_setting_and_names_those_there_are():
    with pytest.raises(UserError, match=r"unknown PPO setting 'eps_clip': choose from .*clip_coef"):
        find_preset("default", {"eps_clip": 0.2})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("update_epochs", 0),
        ("update_epochs", 2.5),
        ("update_epochs", True),
        ("num_minibatches", -1),
        ("episodes_per_update", "many"),
        ("hidden_sizes", []),
        ("hidden_sizes", [64, 0]),
        ("hidden_sizes", [64.5]),
        ("activation", "gelu"),
        ("activation", 1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", "0.1"),
        ("learning_rate", None),
        ("final_learning_rate", -1.0),
        ("adam_betas", [0.9]),
        ("adam_betas", [0.9, 1.0]),
        ("adam_eps", 0.0),
        ("gamma", 1.01),
        ("gamma", -0.1),
        ("gae_lambda", 1.5),
        ("clip_coef", 0.0),
        ("clip_coef", 1.0),
        ("ent_coef", -0.01),
        ("final_ent_coef", float("inf")),
        ("vf_coef", -0.5),
        ("max_grad_norm", 0.0),
        ("target_kl", 0),
        ("mask_actions", 1),
    ],
)
def test_preset__refuses_values_out_of_range_by_name(name, value):
    with pytest.raises(UserError, match=name):
        find_preset("default", {name: value})


@pytest.mark.parametrize("name", ["bootstrap_truncation", "norm_values", "norm_adv"])
def test_preset__refuses_what_needs_gae_without_it(name):
    with pytest.raises(UserError, match=f"{name} needs gae_lambda"):
        find_preset("reference", {name: True})


def sizes(whole, total, **changes):
    """Episodes of each update of a training."""
    rollout, _ = find_preset("default", {"episodes_per_update": whole, **changes})
    found = []
    while sum(found) < total:
        found.append(rollout.episodes_after(sum(found)))
    return found


def test_small_updates__grow_with_what_was_trained_and_meet_every_whole_one():
    assert sizes(100, 4000) == [25] * 60 + [50] * 30 + [100] * 10
    for whole in (25, 50, 75, 100, 150, 200, 300, 400, 1000):
        after = set(itertools.accumulate(found := sizes(whole, 40 * whole)))
        assert set(range(whole, 40 * whole + 1, whole)) <= after, whole
        assert found == sorted(found) and found[-1] == whole
    assert sizes(8, 30) == [8] * 4 and sizes(110, 300) == [110] * 3  # nothing to grow from
    assert sizes(100, 300, small_updates=False) == [100] * 3


def test_small_updates__are_what_the_default_begins_with_alone():
    assert [name for name, preset in PRESETS.items() if preset.rollout.small_updates] == ["default"]
