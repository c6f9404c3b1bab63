"""Training one policy: why it ends, what counts, and going on from a saved state."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from cageflow.collect import Collector, Episodes, WorkflowSpec, make_collector
from cageflow.envs.varying import UNVARIED, Variation
from cageflow.learn.inference import ActorWeights
from cageflow.learn.policy import PolicyCard
from cageflow.learn.ppo import NonFiniteError
from cageflow.settings.commands import PolicyConfig, SearchConfig, TrainConfig
from cageflow.settings.reading import make_config, make_config_of
from cageflow.training.state_file import load_state, save_state
from cageflow.training.trainer import PolicyTrainer, game_spec

WORKFLOW = "defender,enterprise,op_server,op_host,user"
SMALL = {
    "command": "train",
    "max_steps": 10,
    "episodes_per_update": 8,
    "evaluation_episodes": 5,
    "total_episodes": 1000,
    "min_episodes_per_trial": 1,
    "workflow_mode": "rewarded",
}


class Scripted:
    """Real episodes whose compliance, where there is one, is what the test says.

    Args:
        inner: plays them.
        training: compliance of one batch after the other; the last goes on.
        fresh: compliance of the fresh episodes that confirm a batch, likewise.
        num_fresh: how many these are.
    """

    def __init__(self, inner: Collector, training: Sequence[float], fresh: Sequence[float], num_fresh: int) -> None:
        self._inner = inner
        self._training, self._fresh, self._num_fresh = list(training), list(fresh), num_fresh
        self.sizes: list[int] = []

    def play(
        self,
        weights: ActorWeights,
        seeds: npt.NDArray[np.uint64],
        workflow: WorkflowSpec | None,
        variation: Variation = UNVARIED,
    ) -> Episodes:
        episodes = self._inner.play(weights, seeds, workflow)
        self.sizes.append(len(seeds))
        script = self._fresh if len(seeds) == self._num_fresh else self._training
        value = script.pop(0) if len(script) > 1 else script[0]
        return episodes if workflow is None else replace(episodes, compliance=np.full(len(seeds), value))

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = make_collector("vector", game_spec(SearchConfig(max_steps=10)), 1)
    yield collector
    collector.close()


def make_trainer(
    config: PolicyConfig,
    collector: Collector,
    max_episodes: int = 1000,
    cap: Literal["episode-cap", "budget"] = "episode-cap",
    seed: int = 3,
) -> PolicyTrainer:
    return PolicyTrainer(config, config.game(), config.order(), seed, max_episodes, cap, collector)


def train(trainer: PolicyTrainer) -> tuple[str, int]:
    """Update until the training ends; the ending and the number of updates."""
    while (ending := trainer.ending()) is None:
        trainer.update()
    return ending, trainer.updates


def config_of(**changes: Any) -> PolicyConfig:
    return make_config_of(TrainConfig, {**SMALL, "workflow": WORKFLOW, **changes})


def test_training_ends_by_threshold_when_a_batch_and_fresh_episodes_reach_it(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.5, 0.9, 0.95], fresh=[0.95], num_fresh=5)
    trainer = make_trainer(config_of(), scripted)
    assert train(trainer) == ("threshold", 3)
    assert scripted.sizes == [8, 8, 8, 5]  # fresh episodes are only asked for where a batch has reached it


def test_threshold_that_only_the_batch_reached_is_not_believed(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.96, 0.94, 0.96], fresh=[0.9499, 0.97], num_fresh=5)
    trainer = make_trainer(config_of(), scripted)
    assert train(trainer) == ("threshold", 3)
    assert scripted.sizes == [8, 5, 8, 8, 5]


def test_training_that_complies_from_the_start_goes_on_for_its_least_episodes(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.96], fresh=[0.96], num_fresh=5)
    assert train(make_trainer(config_of(min_episodes_per_trial=20), scripted)) == ("threshold", 3)
    assert scripted.sizes == [8, 8, 8, 5]


def test_training_with_fewer_episodes_than_the_least_may_still_reach_the_threshold(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.96], fresh=[0.96], num_fresh=5)
    assert train(make_trainer(config_of(min_episodes_per_trial=1000), scripted, max_episodes=16)) == ("threshold", 2)


def test_fresh_episodes_that_end_a_training_are_those_that_judge_it(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.96], fresh=[0.97, 0.5], num_fresh=5)
    trainer = make_trainer(config_of(), scripted)
    assert train(trainer) == ("threshold", 1)
    assert trainer.evaluate().compliance == pytest.approx(0.97)
    assert scripted.sizes == [8, 5]


def test_training_ends_by_plateau_after_so_many_updates_without_better_compliance(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.5], fresh=[0.0], num_fresh=5)
    assert train(make_trainer(config_of(patience_updates=3), scripted)) == ("plateau", 4)


def test_plateau_counts_only_gains_of_more_than_the_least_and_from_the_best(collector: Collector) -> None:
    # 0.505 is no gain over 0.5; 0.52 is; 0.4 and 0.525 are none over 0.52, nor is what follows.
    scripted = Scripted(collector, training=[0.5, 0.505, 0.505, 0.52, 0.4, 0.525, 0.525], fresh=[0.0], num_fresh=5)
    assert train(make_trainer(config_of(patience_updates=3, min_improvement=0.01), scripted)) == ("plateau", 7)


def test_batch_at_the_threshold_is_no_plateau(collector: Collector) -> None:
    scripted = Scripted(collector, training=[0.96], fresh=[0.9], num_fresh=5)
    ending = train(make_trainer(config_of(patience_updates=2), scripted, max_episodes=48))
    assert ending == ("episode-cap", 6)


def test_small_updates__are_judged_in_whole_batches(collector: Collector) -> None:
    # Quarters of a batch: 0.99 alone is no reason to ask fresh episodes, the mean of four of them, 0.955, is.
    quarters = [0.99, 0.5, 0.5, 0.5, 0.94, 0.99, 0.94, 0.95]
    scripted = Scripted(collector, training=quarters, fresh=[0.96], num_fresh=5)
    trainer = make_trainer(config_of(episodes_per_update=100), scripted)
    assert train(trainer) == ("threshold", 8)
    assert scripted.sizes == [25] * 8 + [5]
    assert trainer.threshold_episodes == 200
    scripted = Scripted(collector, training=[0.5, 0.9, 0.1, 0.5], fresh=[0.0], num_fresh=5)
    ending = train(make_trainer(config_of(episodes_per_update=100, patience_updates=2), scripted))
    assert ending == ("plateau", 12)  # two whole batches without better than the first


def test_small_updates__go_on_where_they_stood_and_are_not_had_again(collector: Collector, tmp_path: Path) -> None:
    config = config_of(episodes_per_update=50, total_episodes=1600)
    whole, stopped = (make_trainer(config, collector, max_episodes=1600) for _ in range(2))
    records = [whole.update() for _ in range(61)]
    assert whole.episodes == 1550 and records[-1].stats.learning_rate < records[0].stats.learning_rate
    for _ in range(31):  # between two whole batches
        stopped.update()
    save_state(tmp_path / "run.state", stopped.state_dict())
    resumed = make_trainer(config, collector, max_episodes=1600)
    resumed.load_state_dict(load_state(tmp_path / "run.state"))
    assert [resumed.update().total_reward for _ in range(30)] == [record.total_reward for record in records[31:]]
    again = make_trainer(config, collector, max_episodes=1600)
    again.ppo.load_state_dict(whole.ppo.state_dict())  # its order is picked again
    again.update()
    assert again.episodes == 50


@pytest.mark.parametrize("cap", ["episode-cap", "budget"])
def test_training_ends_at_its_cap_to_the_episode(collector: Collector, cap: Literal["episode-cap", "budget"]) -> None:
    scripted = Scripted(collector, training=[0.5], fresh=[0.0], num_fresh=5)
    trainer = make_trainer(config_of(), scripted, max_episodes=20, cap=cap)
    assert train(trainer) == (cap, 3)
    assert scripted.sizes == [8, 8, 4]
    assert trainer.episodes == 20


def test_enforced_order__is_trained_to_its_cap_whatever_its_compliance_and_for_nothing_but_the_game(
    collector: Collector,
) -> None:
    config = config_of(workflow_mode="enforced", patience_updates=1)
    for compliance in (1.0, 0.0):
        scripted = Scripted(collector, training=[compliance], fresh=[compliance], num_fresh=5)
        trainer = make_trainer(config, scripted, max_episodes=24)
        assert trainer.update().alignment == 0.0
        assert train(trainer) == ("episode-cap", 3)


def test_plain_ppo_ends_at_its_cap_alone(collector: Collector) -> None:
    config = make_config({**SMALL, "patience_updates": 1, "compliance_threshold": 0.0})
    trainer = make_trainer(config, collector, max_episodes=24, cap="budget")
    record = trainer.update()
    assert np.isnan(record.compliance)
    assert (record.alignment, record.fixes) == (0.0, 0.0)
    assert train(trainer) == ("budget", 3)


def test_figures_of_an_update_are_the_means_of_its_episodes(collector: Collector) -> None:
    played: list[Episodes] = []

    class Listening(Scripted):
        def play(self, *arguments: Any) -> Episodes:
            played.append(collector.play(*arguments))
            return played[-1]

    record = make_trainer(config_of(), Listening(collector, [0.0], [0.0], 5)).update()
    episodes = played[0]
    assert record.episodes == 8
    assert record.env_reward == pytest.approx(episodes.rollout.env_rewards.sum() / 8, abs=1e-4)
    assert record.alignment == pytest.approx(episodes.rollout.alignment_rewards.sum() / 8, abs=1e-4)
    assert record.total_reward == record.env_reward + record.alignment
    assert record.compliance == pytest.approx(np.mean(episodes.compliance))
    assert record.fixes == pytest.approx(np.mean(episodes.fixes))
    # An episode's alignment is lambda times its compliance, or the fine for no fix at all.
    expected = np.where(episodes.fixes > 0, 5.0 * episodes.compliance, -0.2 * 5.0)
    assert episodes.alignment_returns == pytest.approx(expected, abs=1e-4)


def test_variation__is_that_of_episodes_that_are_learned_from_and_never_of_those_that_judge(
    collector: Collector,
) -> None:
    variations: list[Variation] = []

    class Listening(Scripted):
        def play(self, weights: ActorWeights, seeds: npt.NDArray[np.uint64], *others: Any) -> Episodes:
            variations.append(others[1] if len(others) > 1 else UNVARIED)
            return collector.play(weights, seeds, *others)

    config = config_of(perturbed_starts=0.25, green_share=0.5, red_mixture="meander=1,bline=3")
    trainer = make_trainer(config, Listening(collector, [0.0], [0.0], 5))
    trainer.update()
    trainer.evaluate()
    assert variations == [Variation(0.25, 0.5, (("RedMeanderAgent", 0.25), ("B_lineAgent", 0.75))), UNVARIED]
    card = trainer.policy(8).card
    assert (card.perturbed_starts, card.green_share) == (0.25, 0.5)
    assert card.red_mixture == {"RedMeanderAgent": 0.25, "B_lineAgent": 0.75}
    assert PolicyCard.from_json(json.loads(json.dumps(card.to_json()))) == card


def test_fresh_episodes_are_the_same_for_each_policy_of_a_training_and_none_of_it(collector: Collector) -> None:
    seen: list[npt.NDArray[np.uint64]] = []

    class Listening(Scripted):
        def play(
            self,
            weights: ActorWeights,
            seeds: npt.NDArray[np.uint64],
            workflow: WorkflowSpec | None,
            variation: Variation = UNVARIED,
        ) -> Episodes:
            seen.append(seeds)
            return collector.play(weights, seeds, workflow)

    trainer = make_trainer(config_of(), Listening(collector, [0.0], [0.0], 5))
    trainer.update()
    before = trainer.evaluate()
    trainer.update()
    after = trainer.evaluate()
    assert np.array_equal(seen[1], seen[3])
    assert len(np.unique(np.concatenate([seen[0], seen[1], seen[2]]))) == 8 + 5 + 8
    assert before.episodes == after.episodes == 5
    assert before.reward_se > 0


@pytest.mark.parametrize("preset", ["default", "reference"])
@pytest.mark.parametrize("workflow", [WORKFLOW, None])
def test_training_goes_on_from_its_saved_state_bit_for_bit(tmp_path: Path, preset: str, workflow: str | None) -> None:
    config = make_config({**SMALL, "preset": preset, "workflow": workflow})
    collector = make_collector("vector", game_spec(config), 1)
    whole, first, second = (make_trainer(config, collector) for _ in range(3))
    expected = [whole.update() for _ in range(4)]
    records = [first.update() for _ in range(2)]
    save_state(tmp_path / "state", first.state_dict())
    first.update()  # what the saved state holds is a copy
    second.load_state_dict(load_state(tmp_path / "state"))
    assert (second.updates, second.episodes) == (2, 16)
    records += [second.update() for _ in range(2)]
    for record, other in zip(records, expected, strict=True):
        same = {"collection_s": 0.0, "simulation_s": 0.0, "inference_s": 0.0}
        stats = {"stats": replace(record.stats, seconds=0.0)}, {"stats": replace(other.stats, seconds=0.0)}
        assert repr(replace(record, **same, **stats[0])) == repr(replace(other, **same, **stats[1]))  # NaN equals NaN
    for (weight, bias), (other_weight, other_bias) in zip(second.policy(0).layers, whole.policy(0).layers, strict=True):
        assert np.array_equal(weight, other_weight)
        assert np.array_equal(bias, other_bias)
    assert second.ending() == whole.ending()


def test_saved_state_keeps_the_patience(collector: Collector) -> None:
    config = config_of(patience_updates=3)
    first = make_trainer(config, Scripted(collector, training=[0.5], fresh=[0.0], num_fresh=5))
    first.update()
    first.update()
    second = make_trainer(config, Scripted(collector, training=[0.5], fresh=[0.0], num_fresh=5))
    second.load_state_dict(first.state_dict())
    assert train(second) == ("plateau", 4)


def test_trainings_of_other_seeds_play_other_episodes(collector: Collector) -> None:
    rewards = {make_trainer(config_of(), collector, seed=seed).update().env_reward for seed in (1, 2, 3)}
    assert len(rewards) == 3


def test_reward_that_is_not_finite_names_its_update(collector: Collector) -> None:
    class Poisoned(Scripted):
        def play(self, *arguments: Any) -> Episodes:
            episodes = super().play(*arguments)
            if len(self.sizes) == 2:
                episodes.rollout.env_rewards[3, 1] = np.inf
            return episodes

    trainer = make_trainer(config_of(), Poisoned(collector, training=[0.5], fresh=[0.0], num_fresh=5))
    trainer.update()
    before = trainer.policy(0).layers
    with pytest.raises(NonFiniteError, match="update 2: env_rewards of the rollout are not finite"):
        trainer.update()
    assert trainer.updates == 1
    for (weight, _), (other, _) in zip(trainer.policy(0).layers, before, strict=True):
        assert np.array_equal(weight, other)


def test_policy_says_what_it_is(collector: Collector) -> None:
    config = config_of(compliance_definition="evictable", preset="reference")
    trainer = make_trainer(config, make_collector("vector", game_spec(config), 1))
    trainer.update()
    card = trainer.policy(training_episodes=1234).card
    assert card.workflow == WORKFLOW
    assert (card.rules, card.red_agent, card.observation, card.max_steps) == ("v2.1", "B_lineAgent", "corrected", 10)
    assert (card.preset, card.activation, card.mask_actions) == ("reference", "tanh", False)
    assert card.alignment == {"lambda": 30.0, "threshold": 0.95, "definition": "evictable"}
    assert card.training_episodes == 1234
