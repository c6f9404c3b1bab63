"""One policy for all orders: that it learns as one for a single order does, and that each order is its own judge."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cageflow.collect import Collector, Episodes, EpisodeStream, Job, WorkflowSpec, make_collector
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.learn.inference import Actor, ActorWeights
from cageflow.learn.torch_networks import ActorCritic
from cageflow.scenario.orders import format_order
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from cageflow.training import universal
from cageflow.training.state_file import load_state, save_state
from cageflow.training.trainer import PolicyTrainer, UpdateRecord, game_spec
from cageflow.training.universal import UniversalTrainer, shuffled_turns
from tests.helpers.orders import ALL_ORDERS, ORDERS, encode_order

ORDER = ALL_ORDERS[57]
SMALL = {
    "command": "universal",
    "max_steps": 10,
    "episodes_per_update": 12,
    "orders_per_update": 4,
    "evaluation_episodes": 5,
    "total_episodes": 1000,
    "seed": 3,
    "preset": "default",
    "workflow_mode": "rewarded",
}


def config_of(**changes: Any) -> RunConfig:
    return make_config({**SMALL, **changes})


class Recording:
    """Plays, and keeps what it was asked for and what came of it."""

    def __init__(self, inner: Collector) -> None:
        self._inner = inner
        self.jobs: list[Job] = []
        self.episodes: list[Episodes] = []

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        self.jobs.append(Job(weights, seeds, workflow))
        self.episodes.append(self._inner.play(weights, seeds, workflow))
        return self.episodes[-1]

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def collector() -> Iterator[Recording]:
    collector = Recording(make_collector("vector", game_spec(config_of()), 1))
    yield collector
    collector.close()


def orders_of(jobs: list[Job]) -> list[Any]:
    return [job.workflow.order for job in jobs if job.workflow is not None]


def figures(record: UpdateRecord) -> UpdateRecord:
    """A record without wall-clock times."""
    stats = replace(record.stats, seconds=0.0)
    return replace(record, collection_s=0.0, simulation_s=0.0, inference_s=0.0, stats=stats)


# One order alone


def test_one_order_alone__trains_as_its_own_policy_does(collector: Recording) -> None:
    alone = make_config(
        {
            **SMALL,
            "command": "train",
            "orders_per_update": None,
            "workflow": format_order(ORDER),
            "patience_updates": 99,
        }
    )
    single = PolicyTrainer(alone, alone.game(), ORDER, alone.seed, 1000, "budget", collector)
    several = UniversalTrainer(config_of(), collector, [ORDER])
    for update in range(4):
        collector.episodes.clear()
        mine, theirs = several.update(), single.update()
        episodes = Episodes.concatenate(collector.episodes[:-1])
        if update == 0:  # the same first weights, so the same episodes to the last bit
            wanted = collector.episodes[-1]
            assert (episodes.rollout.actions == wanted.rollout.actions).all()
            assert (episodes.rollout.log_probs == wanted.rollout.log_probs).all()
            assert (episodes.rollout.rewards == wanted.rollout.rewards).all()
        # Later they differ by rounding: the code's share of a layer is summed in another place.
        for name in ("episodes", "env_reward", "alignment", "compliance", "fixes"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name)), (update, name)
        for name in ("policy_loss", "value_loss", "entropy", "grad_norm", "learning_rate", "explained_variance"):
            assert getattr(mine.stats, name) == pytest.approx(getattr(theirs.stats, name), abs=1e-4), (update, name)
    mine, theirs = several.ppo.state_dict()["networks"], single.ppo.state_dict()["networks"]
    for name, weights in mine.items():
        assert np.allclose(weights, theirs[name], atol=2e-4), name


# Many orders


@pytest.mark.parametrize("order", [ALL_ORDERS[0], ORDER, ALL_ORDERS[119]])
def test_the_folded_actor__has_the_learners_logits_on_observations_with_the_orders_bits(
    collector: Recording, order: Any
) -> None:
    trainer = UniversalTrainer(config_of(), collector)
    for _ in range(3):
        trainer.update()
    observations = np.random.default_rng(0).integers(0, 2, (200, 52)).astype(np.uint8)
    told = np.concatenate([observations, np.tile(encode_order(order), (200, 1))], axis=1)
    with torch.no_grad():
        logits = ActorCritic(trainer.ppo._networks).logits(torch.from_numpy(told).float())
        wanted = torch.log_softmax(logits, dim=1).numpy()
    assert Actor(trainer.actor_weights(order)).log_probs(observations) == pytest.approx(wanted, abs=1e-5)
    policy = trainer.policy()
    assert policy.is_universal
    assert policy.for_order(order).log_probs(observations) == pytest.approx(wanted, abs=1e-5)
    assert not np.allclose(Actor(trainer.actor_weights(ALL_ORDERS[50])).log_probs(observations), wanted, atol=1e-5)


def test_update__judges_each_group_by_the_order_that_its_policy_was_told(collector: Recording) -> None:
    trainer = UniversalTrainer(config_of(), collector)
    trainer.update()
    collector.jobs.clear(), collector.episodes.clear()
    weights = {order: trainer.actor_weights(order) for order in ALL_ORDERS}
    learned: list[Any] = []
    update = trainer.ppo.update
    trainer.ppo.update = lambda rollout: (learned.append(rollout), update(rollout))[1]  # type: ignore[method-assign]
    record = trainer.update()
    (rollout,) = learned
    assert len(collector.jobs) == 4
    seeds = EpisodeStream(3, "train").seeds(12, 12).reshape(4, 3)
    for group, job in enumerate(collector.jobs):
        assert job.workflow is not None
        order = job.workflow.order
        assert job.workflow == WorkflowSpec(order, 5.0, "any-session")
        assert (job.weights.weights == weights[order].weights).all()
        assert (job.seeds == seeds[group]).all()
        columns = slice(3 * group, 3 * group + 3)
        seen = rollout.observations[rollout.observation_idx[:, columns]]
        assert (seen[..., 52:] == encode_order(order)).all()
        played = collector.episodes[group].rollout
        assert (seen[..., :52] == played.observations[played.observation_idx]).all()
        assert (rollout.rewards[:, columns] == played.rewards).all()
        final = rollout.observations[rollout.final_observation_idx[columns]]
        assert (final[:, 52:] == encode_order(order)).all()
    assert record.compliance == pytest.approx(np.mean([episodes.compliance for episodes in collector.episodes]))


def test_training__meets_every_order_equally_often_with_as_many_episodes(collector: Recording) -> None:
    trainer = UniversalTrainer(config_of(orders_per_update=8, episodes_per_update=16), collector)
    for _ in range(30):  # two rounds of 120
        trainer.update()
    count = Counter(orders_of(collector.jobs))
    assert len(count) == len(ORDERS) and set(count.values()) == {2}
    assert {len(job.seeds) for job in collector.jobs} == {2}
    assert orders_of(collector.jobs)[:120] != orders_of(collector.jobs)[120:]
    played = np.concatenate([job.seeds for job in collector.jobs])
    assert (played == EpisodeStream(3, "train").seeds(0, 480)).all()


def test_training__ends_with_the_last_episode_of_the_budget(collector: Recording) -> None:
    trainer = UniversalTrainer(config_of(total_episodes=27), collector)
    sizes = []
    while not trainer.is_done:
        sizes.append(trainer.update().episodes)
    assert sizes == [12, 24, 27]
    assert [len(job.seeds) for job in collector.jobs] == [3] * 8 + [1, 1, 1]


def test_shuffled_turns__are_one_list_however_it_is_cut() -> None:
    whole = shuffled_turns(5, 7, 0, 70)
    for start in range(0, 70, 7):
        assert sorted(whole[start : start + 7]) == list(range(7))
    assert len({tuple(whole[start : start + 7]) for start in range(0, 70, 7)}) > 5
    cuts = [0, 1, 7, 13, 14, 30, 70]
    assert whole == [turn for a, b in zip(cuts, cuts[1:], strict=False) for turn in shuffled_turns(5, 7, a, b - a)]
    assert whole != shuffled_turns(6, 7, 0, 70)


def test_a_saved_state__goes_on_bit_for_bit(collector: Recording, tmp_path: Path) -> None:
    config = config_of(orders_per_update=5)
    whole = UniversalTrainer(config, collector)
    for _ in range(3):
        whole.update()
    save_state(tmp_path / "run.state", whole.state_dict())
    wanted = [figures(whole.update()) for _ in range(3)]
    resumed = UniversalTrainer(config, collector)
    resumed.load_state_dict(load_state(tmp_path / "run.state"))
    assert [figures(resumed.update()) for _ in range(3)] == wanted
    assert resumed.evaluate(ORDER) == whole.evaluate(ORDER)
    assert (resumed.actor_weights(ORDER).weights == whole.actor_weights(ORDER).weights).all()


def test_evaluate__plays_the_order_on_episodes_that_are_its_own(collector: Recording) -> None:
    trainer = UniversalTrainer(config_of(), collector)
    evaluations = [trainer.evaluate(order) for order in ALL_ORDERS]
    assert orders_of(collector.jobs) == list(ALL_ORDERS)
    seeds = np.concatenate([job.seeds for job in collector.jobs])
    assert len(np.unique(seeds)) == 5 * len(ORDERS)
    assert not np.isin(seeds, EpisodeStream(3, "train").seeds(0, 1000)).any()
    for evaluation, episodes in zip(evaluations, collector.episodes, strict=True):
        assert evaluation.reward == pytest.approx(episodes.env_returns.mean())
        assert evaluation.compliance == pytest.approx(episodes.compliance.mean())


def test_suite__notices_when_a_group_is_told_another_order_than_it_is_judged_by(
    collector: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = universal.told
    monkeypatch.setattr(universal, "told", lambda episodes, space, order: told(episodes, space, ALL_ORDERS[0]))
    with pytest.raises(AssertionError):
        test_update__judges_each_group_by_the_order_that_its_policy_was_told(collector)
    with pytest.raises(AssertionError):
        test_one_order_alone__trains_as_its_own_policy_does(collector)
