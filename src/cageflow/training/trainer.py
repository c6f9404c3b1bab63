"""Training one policy: collect episodes, update, judge whether to go on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from cageflow.collect import Collector, Episodes, EpisodeStream, Feed, GameSpec, make_feed
from cageflow.envs.options import GameOptions
from cageflow.envs.varying import UNVARIED, told_shares
from cageflow.learn.inference import ActorWeights
from cageflow.learn.policy import LEARNED, Policy, PolicyCard, made_for, red_made_for
from cageflow.learn.ppo import PPO, UpdateStats
from cageflow.scenario.orders import Order, format_order
from cageflow.settings.commands import PolicyConfig
from cageflow.settings.config import RunConfig
from cageflow.sim.recall import num_inputs
from cageflow.training.told_rules import ToldFeed, play_told, told_weights
from cageflow.workflow.tested import OrderTests

Workflow = Order | Literal["any", "red"] | None
"""What a policy follows: one order, any that it is told (a universal policy), or none (plain PPO, and red)."""

Ending = Literal["threshold", "plateau", "episode-cap", "budget", "rung"]
"""Why training ended: the compliance threshold was reached and confirmed on fresh episodes; compliance stopped
improving; the episodes of one workflow were used up; those of the whole run were. Or why it rests: it is at a rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecord:
    """One update: its episodes' means, and what the learner says.

    Attributes:
        update: number of the update in this training, in rungs in this trial of it, from 1.
        episodes: episodes collected so far in the same.
        env_reward: mean return of the game.
        alignment: mean return of the alignment reward.
        compliance: mean compliance, NaN without a workflow.
        fixes: mean number of fixes.
        tests: which of them tested the workflow; all 0 without one.
        collection_s: seconds that the learner waited for the episodes.
        simulation_s: seconds in the games, summed over all processes.
        inference_s: seconds in choosing actions, likewise.
        stats: of the learner.
    """

    update: int
    episodes: int
    env_reward: float
    alignment: float
    compliance: float
    fixes: float
    tests: OrderTests
    collection_s: float
    simulation_s: float
    inference_s: float
    stats: UpdateStats

    @property
    def total_reward(self) -> float:
        """What the learner maximised."""
        return self.env_reward + self.alignment

    @classmethod
    def of(
        cls, update: int, num_episodes: int, episodes: Episodes, collection_s: float, stats: UpdateStats
    ) -> UpdateRecord:
        """The record of an update on `episodes`, `num_episodes` being those so far."""
        return cls(
            update=update,
            episodes=num_episodes,
            env_reward=float(episodes.env_returns.mean()),
            alignment=float(episodes.alignment_returns.mean()),
            compliance=float(episodes.compliance.mean()),
            fixes=float(episodes.fixes.mean()),
            tests=OrderTests.of(episodes.tests, episodes.contests),
            collection_s=collection_s,
            simulation_s=episodes.simulation_s,
            inference_s=episodes.inference_s,
            stats=stats,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshEvaluation:
    """Fresh episodes of the present policy: means with their standard errors; compliance is NaN without a workflow.

    Which fixes tested the workflow stands in `tests`, all 0 without one.
    """

    reward: float
    reward_se: float
    compliance: float
    compliance_se: float
    episodes: int
    tests: OrderTests

    @classmethod
    def of(cls, episodes: Episodes) -> FreshEvaluation:
        """What at least two episodes amount to."""
        count = len(episodes.seeds)
        reward, compliance = episodes.env_returns, episodes.compliance
        return cls(
            reward=float(reward.mean()),
            reward_se=float(reward.std(ddof=1) / np.sqrt(count)),
            compliance=float(compliance.mean()),
            compliance_se=float(compliance.std(ddof=1) / np.sqrt(count)),
            episodes=count,
            tests=OrderTests.of(episodes.tests, episodes.contests),
        )


class PolicyTrainer:
    """A policy in training, for one workflow order or for none.

    All chance comes from `seed` and from counters, so `state_dict` is all that going on needs.

    Args:
        config: of the run.
        game: that is played; `config.game()`.
        order: the workflow; None for plain PPO.
        seed: of this training: its episodes, its first weights, its shuffling.
        max_episodes: episodes after which this training ends.
        cap: the name of that ending.
        collector: who plays the episodes.
        rung: episodes at which this training rests, as a trial in rungs asks for; None to train to the end. All chance
            is the same with and without, so a training that rests on its way comes to what it would have come to.

    Attributes:
        config, order, max_episodes, rung: as given.
        ppo: the learner.
        episodes: learned from in this training so far.
        updates: made in this training so far.
        threshold_episodes: episodes after which a batch first reached the compliance threshold; None if none has.
    """

    def __init__(
        self,
        config: PolicyConfig,
        game: GameOptions,
        order: Order | None,
        seed: int,
        max_episodes: int,
        cap: Literal["episode-cap", "budget"],
        collector: Collector,
        rung: int | None = None,
    ) -> None:
        self.config = config
        self.order = order
        self.max_episodes = max_episodes
        self.rung = rung
        self._cap: Ending = cap
        self._seed = seed
        rollout = config.rollout()
        self._rollout = rollout
        self._collector = collector
        self._workflow = None
        if order is not None:
            self._workflow = config.workflow_spec(order)
        stream = EpisodeStream(seed, "train")
        variation = config.variation()
        sizes = sizes_of(config)
        self._encoding = None if order is None else game.network.orders.encode(order)
        self._feed: Feed = (
            ToldFeed(
                collector,
                stream,
                self._workflow,
                variation,
                self._weights_of,
            )
            if config.tells_rules
            else make_feed(collector, stream, self._workflow, config.max_staleness, max_episodes, variation)
        )
        planned = config.planned_episodes if rung is None else max_episodes
        self.ppo = PPO(
            config.learner(),
            num_observations=sizes.observations,
            num_actions=sizes.actions,
            order_encoding=self._encoding,
            total_updates=math.ceil(planned / rollout.episodes_per_update),
            total_episodes=planned if rollout.small_updates else None,
            device=config.device,
            num_threads=config.num_threads,
            seed=seed,
        )
        self.episodes = 0
        self.updates = 0
        self._rested = (0, 0)  # updates and episodes at which the present trial began
        self._best_compliance = 0.0
        self._updates_without_improvement = 0
        self._last_compliance = math.nan
        self._batch = (0, 0.0)  # episodes since the last whole one, and the sum of their compliances
        self.threshold_episodes: int | None = None
        self._evaluation: tuple[int, FreshEvaluation] | None = None  # after which update, and what it gave

    def update(self) -> UpdateRecord:
        """Collect one batch of episodes and learn from it.

        Raises:
            NonFiniteError: a reward, a loss or a gradient is not finite.
        """
        count = min(self._rollout.episodes_after(self.ppo.episodes_done), self.max_episodes - self.episodes)
        started = time.perf_counter()
        episodes = self._feed.next_batch(self.ppo.actor_weights(), count)
        collection_s = time.perf_counter() - started
        stats = self.ppo.update(episodes.rollout)
        self.episodes += count
        self.updates += 1
        record = UpdateRecord.of(self.updates - self._rested[0], self.trial_episodes, episodes, collection_s, stats)
        self._note_compliance(record.compliance, count)
        return record

    def ending(self) -> Ending | None:
        """Why training is over after the last update, or None while it is not.

        Whole batches are judged, made up of several updates where these are small. One that reaches the compliance
        threshold is only believed if fresh episodes of the updated policy do, and not before `min_episodes_per_trial`:
        an order that is picked again complies from the start.
        """
        is_judged = self.updates > 0 and self._batch[0] == 0
        if self.order is not None and is_judged and self.config.ends_by_compliance:
            is_long_enough = self.episodes >= min(self.config.min_episodes_per_trial, self.max_episodes)
            if self._last_compliance >= self.config.compliance_threshold:
                if is_long_enough and self.evaluate().compliance >= self.config.compliance_threshold:
                    return "threshold"
            elif self._updates_without_improvement >= self.config.patience_updates:
                return "plateau"
        if self.episodes >= self.max_episodes:
            return self._cap
        return "rung" if self.rung is not None and self.episodes >= self.rung else None

    @property
    def workflow(self) -> Workflow:
        """What the policy follows, as the logs say it."""
        return "red" if self.config.plays_red else self.order

    @property
    def trial_episodes(self) -> int:
        """Episodes learned from in this trial so far."""
        return self.episodes - self._rested[1]

    def go_on(self, state: dict[str, Any]) -> None:
        """Begin a trial of a training that rests at a rung, from its `state_dict` there."""
        self.load_state_dict(state)
        self._rested = (self.updates, self.episodes)

    def evaluate(self) -> FreshEvaluation:
        """Play fresh episodes of the present policy, the same ones for every policy of this training.

        At each rung on its way there are others, so that luck in judging one says nothing of the next.
        """
        if self._evaluation is None or self._evaluation[0] != self.updates:
            self._evaluation = (self.updates, self._evaluate())
        return self._evaluation[1]

    def policy(self, training_episodes: int) -> Policy:
        """The present policy with its card.

        Args:
            training_episodes: that it has learned from, those of earlier trainings included.
        """
        workflow = None if self.order is None else format_order(self.order)
        card = policy_card(self.config, workflow, training_episodes)
        return Policy(card, self.ppo.actor_layers(), self._encoding)

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on needs, a copy."""
        return {
            "ppo": self.ppo.state_dict(),
            "feed": self._feed.state_dict(),
            "episodes": self.episodes,
            "updates": self.updates,
            "best_compliance": self._best_compliance,
            "updates_without_improvement": self._updates_without_improvement,
            "last_compliance": self._last_compliance,
            "batch": list(self._batch),
            "threshold_episodes": self.threshold_episodes,
            "rested": list(self._rested),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the state was saved; the configuration, the order and the seed must be the same."""
        self.ppo.load_state_dict(state["ppo"])
        self._feed.load_state_dict(state["feed"])
        self.episodes = state["episodes"]
        self.updates = state["updates"]
        self._best_compliance = state["best_compliance"]
        self._updates_without_improvement = state["updates_without_improvement"]
        self._last_compliance = state["last_compliance"]
        self.threshold_episodes = state["threshold_episodes"]
        episodes, total = state.get("batch", (0, 0.0))  # of which there was none before updates could be small
        self._batch = (episodes, total)
        updates, episodes = state.get("rested", (0, 0))  # which trainings did not say before there were rungs
        self._rested = (updates, episodes)

    def close(self) -> None:
        """Forget the episodes that are under way."""
        self._feed.close()

    def _evaluate(self) -> FreshEvaluation:
        count = self.config.evaluation_episodes
        on_the_way = self.rung if self.rung is not None and self.rung < self.max_episodes else 0
        seeds = EpisodeStream(self._seed, "evaluate").seeds(on_the_way * count, count)
        if self.config.tells_rules:
            played = play_told(self._collector, self._weights_of, seeds, self._workflow, UNVARIED)
        else:
            played = self._collector.play(self.ppo.actor_weights(), seeds, self._workflow)
        return FreshEvaluation.of(played)

    def _weights_of(self, rules: str) -> ActorWeights:
        """The present policy, told its rules and its order."""
        return told_weights(self.policy(0), rules)

    def _note_compliance(self, compliance: float, count: int) -> None:
        """Note that of an update, once updates make up a whole one: few episodes say little."""
        episodes, total = self._batch[0] + count, self._batch[1] + count * compliance
        if episodes < self._rollout.episodes_per_update and self.episodes < self.max_episodes:
            self._batch = (episodes, total)
            return
        self._batch = (0, 0.0)
        compliance = compliance if episodes == count else total / episodes
        self._last_compliance = compliance
        if self.threshold_episodes is None and compliance >= self.config.compliance_threshold:
            self.threshold_episodes = self.episodes
        if compliance > self._best_compliance + self.config.min_improvement:
            self._best_compliance = compliance
            self._updates_without_improvement = 0
        else:
            self._updates_without_improvement += 1


class Sizes(NamedTuple):
    """Bits that a learner reads, an order's code aside, and how many actions it has."""

    observations: int
    actions: int


def sizes_of(config: RunConfig) -> Sizes:
    """The sizes of the learner of a run."""
    network = config.game().network
    if config.plays_red:
        return Sizes(network.num_red_observations, len(network.red_codec))
    num_observations = num_inputs(network, memory=config.rollout().memory) + config.tells_rules
    return Sizes(num_observations, len(network.codec))


def policy_card(config: RunConfig, workflow: str | None, training_episodes: int) -> PolicyCard:
    """What a policy file says of a policy of this run.

    Args:
        config: of the run.
        workflow: what the card says of its order.
        training_episodes: that it has learned from.
    """
    game, rollout = config.game(), config.rollout()
    alignment: dict[str, float | str | bool] = {}
    if workflow is not None:
        alignment = {"definition": config.compliance_definition}
        if config.workflow_mode == "rewarded":
            alignment |= {"lambda": config.alignment_lambda, "threshold": config.compliance_threshold}
    memory = rollout.memory and not config.plays_red
    sided: dict[str, Any]
    if config.plays_red:
        sided = {"side": "red", "red_agent": LEARNED, "blue_agent": config.opponent, **red_made_for(game.network)}
    else:
        made = made_for(game.network, memory=memory, ordered=workflow is not None, tells_rules=config.tells_rules)
        sided = {"red_agent": game.red_agent, **made}
    return PolicyCard(
        workflow=workflow,
        rules=game.rules,
        observation=game.observation,
        max_steps=game.max_steps,
        preset=config.preset,
        activation=config.learner().activation,
        mask_actions=rollout.mask_actions,
        memory=memory,
        alignment=alignment,
        workflow_mode=config.workflow_mode,
        training_episodes=training_episodes,
        perturbed_starts=config.perturbed_starts,
        green_share=config.green_share,
        red_mixture=told_shares(config.variation().red_mixture),
        green=game.green,
        **sided,
    )


def game_spec(config: RunConfig) -> GameSpec:
    """What the collector of a run is to play."""
    rollout = config.rollout()
    return GameSpec(
        config.game(),
        masked=rollout.mask_actions,
        memory=rollout.memory,
        cyborg_path=config.cyborg_path,
        blue=config.blue_source(),
    )
