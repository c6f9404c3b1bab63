"""One policy for both rule sets that is told which: what it reads in training, and what it is when it plays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.collect import Collector, EpisodeStream, make_collector
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import RULES
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.errors import UserError
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy, save_policy
from cageflow.scenario import default_network
from cageflow.settings.commands import PolicyConfig, TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.training.told_rules import play_told, told_weights
from cageflow.training.trainer import PolicyTrainer, game_spec

NETWORK = default_network()
SMALL = {"max_steps": 10, "episodes_per_update": 8, "evaluation_episodes": 5, "total_episodes": 1000, "rules": "mixed"}
ORDER = "enterprise,op_server,defender,op_host,user"


def config_of(order: str | None = None, **changes: object) -> PolicyConfig:
    ppo = {"tell_rules": True}
    return make_config_of(TrainConfig, {**SMALL, "ppo": ppo, "workflow": order, **changes})


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = make_collector("vector", game_spec(config_of()), 1)
    yield collector
    collector.close()


def trainer_of(config: PolicyConfig, collector: Collector) -> PolicyTrainer:
    return PolicyTrainer(config, config.game(), config.order(), 3, 1000, "budget", collector)


def trained(collector: Collector, order: str | None = None) -> Policy:
    trainer = trainer_of(config_of(order), collector)
    trainer.update()
    return trainer.policy(8)


def test_batch__has_the_rules_of_each_episode_as_its_last_bit(collector: Collector) -> None:
    policy = trained(collector)
    seeds, variation = EpisodeStream(1, "test").seeds(0, 30), Variation(green_share=0.5)
    episodes = play_told(collector, lambda rules: told_weights(policy, rules), seeds, None, variation)
    assert sorted(episodes.seeds) == sorted(seeds)
    told = episodes.rollout.observations[episodes.rollout.observation_idx][:, :, -1]
    drawn = variation.rules_of(episodes.seeds)
    assert np.array_equal(told, np.broadcast_to(drawn, told.shape)) and 5 < drawn.sum() < 25
    for number, rules in enumerate(RULES):
        chosen = seeds[variation.rules_of(seeds) == number]
        alone = collector.play(told_weights(policy, rules), chosen, None, replace(variation, rules=rules))
        assert np.array_equal(alone.env_returns, episodes.env_returns[drawn == number])


def test_training__goes_on_from_its_state_as_if_it_never_had_stopped(collector: Collector) -> None:
    whole, first = trainer_of(config_of(), collector), trainer_of(config_of(), collector)
    whole.update()
    first.update()
    again = trainer_of(config_of(), collector)
    again.load_state_dict(first.state_dict())
    whole.update()
    again.update()
    for mine, its in zip(whole.policy(16).layers, again.policy(16).layers, strict=True):
        assert np.array_equal(mine[0], its[0]) and np.array_equal(mine[1], its[1])
    assert whole.evaluate().reward == again.evaluate().reward


@pytest.mark.parametrize("order", [None, ORDER])
def test_policy__plays_by_the_rules_of_the_game_with_the_bits_of_the_game_alone(
    collector: Collector, order: str | None, tmp_path: Path
) -> None:
    policy = trained(collector, order)
    assert policy.card.is_told_rules and policy.card.rules == "mixed" and policy.card.sizes["rules"] == 1
    save_policy(tmp_path / "p.safetensors", policy)
    bits = np.random.default_rng(0).integers(2, size=(20, NETWORK.num_observations)).astype(np.uint8)
    log_probs = []
    for number, rules in enumerate(RULES):
        loaded = load_policy(tmp_path / "p.safetensors", setting=BlueSetting(NETWORK, rules))
        assert loaded.card.rules == rules and not loaded.card.is_told_rules
        log_probs.append(loaded.log_probs(bits))
        told = np.concatenate([bits, np.full((20, 1), number, np.uint8)], axis=1)
        assert log_probs[-1] == pytest.approx(policy.log_probs(told), abs=1e-5)
    assert not np.allclose(*log_probs)
    source = find_agent(str(tmp_path / "p.safetensors"), SourceOptions())
    assert source.notes(BlueSetting(NETWORK, "challenge")) == ()


def test_policy__is_to_be_told_one_of_the_rules(collector: Collector, tmp_path: Path) -> None:
    save_policy(tmp_path / "p.safetensors", trained(collector))
    with pytest.raises(UserError, match=r"is told which rules it plays, and mixed says none: give v2\.1 or challenge"):
        load_policy(tmp_path / "p.safetensors", setting=BlueSetting(NETWORK, "mixed"))


def test_rules_are_told_only_where_they_are_drawn_and_only_if_that_is_asked_for(collector: Collector) -> None:
    assert not config_of(rules="v2.1").tells_rules
    untold = make_config_of(TrainConfig, SMALL)
    assert not untold.tells_rules
    policy = trainer_of(untold, collector).policy(0)
    assert policy.for_rules("mixed") is policy and "rules" not in policy.card.sizes
    assert UNVARIED.rules is None
