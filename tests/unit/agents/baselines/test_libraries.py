"""The algorithms of other libraries: that each trains by its seed alone, within its budget, and says what it lacks."""

import importlib

import numpy as np
import pytest

from cageflow.agents.baselines.libraries import LIBRARIES, check_installed, train
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError

GAME = GameOptions("B_lineAgent", max_steps=25)


@pytest.fixture
def learning_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the learners begin after two episodes, not after thousands of steps."""
    sac = importlib.import_module("cageflow.agents.baselines.sac")
    sb3 = importlib.import_module("cageflow.agents.baselines.sb3")
    soon = sac.SACSettings(num_envs=4, learning_starts=50, batch_size=16)
    monkeypatch.setattr(sac, "SACSettings", lambda: soon)
    monkeypatch.setattr(sb3, "DQN_SETTINGS", {**sb3.DQN_SETTINGS, "learning_starts": 50, "batch_size": 16})


@pytest.mark.usefixtures("learning_soon")
@pytest.mark.parametrize("name", LIBRARIES)
def test_training__uses_its_budget_and_depends_on_its_seed_alone(name: str) -> None:
    told: list[int] = []
    policies = [train(name, GAME, 12, seed, told.append) for seed in (3, 3, 4)]
    first, again, other = ([weight for weight, _ in policy.layers] for policy in policies)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    card = policies[0].card
    assert (card.preset, card.red_agent, card.max_steps) == (name, "B_lineAgent", 25)
    assert 12 <= card.training_episodes <= 16
    assert told == sorted(told[: len(told) // 3]) * 3
    assert max(told) in (card.training_episodes - 1, card.training_episodes)


@pytest.mark.usefixtures("learning_soon")
@pytest.mark.parametrize("name", LIBRARIES)
def test_training__changes_all_weights(name: str) -> None:
    before, after = (train(name, GAME, episodes, 3, lambda episodes: None) for episodes in (1, 20))
    for (old, old_bias), (new, new_bias) in zip(before.layers, after.layers, strict=True):
        assert not np.array_equal(old, new)
        assert not np.array_equal(old_bias, new_bias)


@pytest.mark.parametrize("name", LIBRARIES)
def test_training__can_be_ended_by_whoever_is_told(name: str) -> None:
    class EnoughError(Exception):
        pass

    def tell(episodes: int) -> None:
        if episodes >= 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        train(name, GAME, 1_000_000, 0, tell)


@pytest.mark.parametrize(("name", "extra"), [("a2c", "sb3"), ("dqn", "sb3"), ("sac", "sac")])
def test_missing_library__is_named_with_what_installs_it(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(package: str) -> None:
        raise ImportError(package)

    monkeypatch.setattr(importlib, "import_module", missing)
    package = LIBRARIES[name].package
    with pytest.raises(UserError, match=rf"{name} needs {package}.*pip install 'cageflow\[{extra}\]'"):
        check_installed(name)
