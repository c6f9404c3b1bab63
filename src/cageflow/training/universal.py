"""Training one policy for all workflow orders at once: it reads the order's code with each observation.

To the learner an order's code is 25 more observation bits, so it learns as it does for a single order, on batches in
which orders are mixed. To who plays, an episode has one order, so the code is folded into the first layer's bias and
nothing else knows of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cageflow.collect import Collector, Episodes, EpisodeStream, Job, play_each
from cageflow.learn.inference import ActorWeights, pack_weights
from cageflow.learn.policy import ANY_WORKFLOW, Policy
from cageflow.learn.ppo import PPO
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.settings.commands import UniversalConfig
from cageflow.sim.recall import num_inputs
from cageflow.training.trainer import FreshEvaluation, UpdateRecord, policy_card


class UniversalTrainer:
    """A policy in training for many workflow orders at once.

    All chance comes from the configuration's seed and from counters, so `state_dict` is all that going on needs.

    Args:
        config: of the run.
        collector: who plays the episodes.
        orders: to train for.

    Attributes:
        episodes, updates: done so far.
        episodes_of: (W,) int64, how many of the episodes each of `orders` has played.
        seconds: spent collecting and learning so far.
    """

    def __init__(self, config: UniversalConfig, collector: Collector, orders: Sequence[Order] | None = None) -> None:
        game, rollout = config.game(), config.rollout()
        self._space = game.network.orders
        self.config = config
        self._collector = collector
        self._orders = tuple(self._space) if orders is None else orders
        self._stream = EpisodeStream(config.seed, "train")
        self._episodes_per_update = rollout.episodes_per_update
        self.ppo = PPO(
            config.learner(),
            num_observations=num_inputs(game.network, memory=rollout.memory) + len(self._space.unit_types) ** 2,
            num_actions=len(game.network.codec),
            total_updates=math.ceil(config.total_episodes / rollout.episodes_per_update),
            device=config.device,
            num_threads=config.num_threads,
            seed=config.seed,
        )
        self.episodes = 0
        self.updates = 0
        self.episodes_of = np.zeros(len(self._orders), np.int64)
        self.seconds = 0.0
        self._turns = 0  # that orders have had

    @property
    def is_done(self) -> bool:
        """Whether all episodes of the run have been trained."""
        return self.episodes >= self.config.total_episodes

    def update(self) -> UpdateRecord:
        """Collect one batch of episodes, each of its orders playing as many as the others, and learn from it.

        Raises:
            NonFiniteError: a reward, a loss or a gradient is not finite.
        """
        started = time.perf_counter()
        episodes = self._collect(min(self._episodes_per_update, self.config.total_episodes - self.episodes))
        collection_s = time.perf_counter() - started
        stats = self.ppo.update(episodes.rollout)
        self.updates += 1
        self.seconds += collection_s + stats.seconds
        return UpdateRecord.of(self.updates, self.episodes, episodes, collection_s, stats)

    def evaluate(self, order: Order) -> FreshEvaluation:
        """Play fresh episodes of the present policy, told this order; the episodes of no two orders are the same."""
        count = self.config.evaluation_episodes
        seeds = EpisodeStream(self.config.seed, "evaluate").seeds(count * self._orders.index(order), count)
        return FreshEvaluation.of(
            self._collector.play(self.actor_weights(order), seeds, self.config.workflow_spec(order))
        )

    def actor_weights(self, order: Order) -> ActorWeights:
        """A copy of the present policy, told an order."""
        return pack_weights(self.ppo.actor_layers(), self.ppo.config.activation, self._space.encode(order))

    def policy(self) -> Policy:
        """The present policy with its card."""
        return Policy(policy_card(self.config, ANY_WORKFLOW, self.episodes), self.ppo.actor_layers())

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on needs, a copy."""
        return {
            "ppo": self.ppo.state_dict(),
            "episodes": self.episodes,
            "updates": self.updates,
            "episodes_of": self.episodes_of.tolist(),
            "seconds": self.seconds,
            "turns": self._turns,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the state was saved; the configuration and the orders must be the same."""
        self.ppo.load_state_dict(state["ppo"])
        self.episodes = state["episodes"]
        self.updates = state["updates"]
        self.episodes_of[:] = state["episodes_of"]
        self.seconds = state["seconds"]
        self._turns = state["turns"]

    def _collect(self, count: int) -> Episodes:
        """The next `count` episodes, those of the orders whose turn it is in equal parts."""
        turns = min(self.config.orders_per_update, count)
        places = shuffled_turns(self.config.seed, len(self._orders), self._turns, turns)
        shares = np.array_split(self._stream.seeds(self.episodes, count), turns)
        orders = [self._orders[place] for place in places]
        jobs = [
            Job(self.actor_weights(order), seeds, self.config.workflow_spec(order), self.config.variation())
            for order, seeds in zip(orders, shares, strict=True)
        ]
        played = play_each(self._collector, jobs)
        self._turns += turns
        self.episodes += count
        np.add.at(self.episodes_of, places, [len(seeds) for seeds in shares])
        return Episodes.concatenate(
            [told(episodes, self._space, order) for episodes, order in zip(played, orders, strict=True)]
        )


def told(episodes: Episodes, space: OrderSpace, order: Order) -> Episodes:
    """Episodes as a learner sees them that reads the order with each observation."""
    return replace(episodes, rollout=episodes.rollout.with_bits(space.encode(order).astype(np.uint8)))


def shuffled_turns(seed: int, count: int, first: int, number: int) -> list[int]:
    """Whose turn it is: an endless list in which each of `count` stands once in every round, rounds shuffled anew.

    Args:
        seed: decides the shuffling, at least 0.
        count: of those that take turns.
        first: turns that are over.
        number: turns asked for.
    """
    rounds = range(first // count, (first + number - 1) // count + 1)
    shuffled = [np.random.default_rng([seed, *b"orders", i]).permutation(count) for i in rounds]
    start = first - rounds[0] * count
    return [int(place) for place in np.concatenate(shuffled)[start : start + number]]
