"""Training one policy for both rule sets that is told which of them it plays.

The rules of an episode are drawn by its seed, and the policy reads them as one bit more after those of the game. A
policy plays one game at a time, so it is played under each of the rules with that bit folded in; what is learned from
has it beside each observation, as a universal policy's has its order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.collect import Collector, Episodes, EpisodeStream, WorkflowSpec
from cageflow.envs.options import RULES
from cageflow.envs.varying import Variation
from cageflow.learn.inference import ActorWeights, pack_weights
from cageflow.learn.policy import Policy, rules_code


def play_told(
    collector: Collector,
    weights_of: Callable[[str], ActorWeights],
    seeds: npt.NDArray[np.uint64],
    workflow: WorkflowSpec | None,
    variation: Variation,
) -> Episodes:
    """One episode for each seed, those of each of the rules together.

    Args:
        collector: who plays, in games whose rules are drawn.
        weights_of: the policy, told one of RULES.
        seeds: (B,) uint64 episode seeds.
        workflow: that the fixes are judged by, or None.
        variation: what else is drawn for them.
    """
    drawn = variation.rules_of(seeds)
    parts = []
    for number, rules in enumerate(RULES):
        chosen = seeds[drawn == number]
        if len(chosen):
            episodes = collector.play(weights_of(rules), chosen, workflow, replace(variation, rules=rules))
            parts.append(replace(episodes, rollout=episodes.rollout.with_bits(rules_code(rules).astype(np.uint8))))
    return Episodes.concatenate(parts)


def told_weights(policy: Policy, rules: str) -> ActorWeights:
    """A policy as collectors play it, told one of RULES where it is to be told."""
    told = policy.for_rules(rules)
    return pack_weights(told.layers, told.card.activation, told.order_encoding)


class ToldFeed:
    """Episodes of the present policy, told its rules, in the order of the stream but for the rules.

    Args:
        collector: who plays.
        stream: the episodes.
        workflow: that fixes are judged by, or None.
        variation: what is drawn for each of them.
        weights_of: the present policy, told one of RULES.
    """

    def __init__(
        self,
        collector: Collector,
        stream: EpisodeStream,
        workflow: WorkflowSpec | None,
        variation: Variation,
        weights_of: Callable[[str], ActorWeights],
    ) -> None:
        self._collector, self._stream, self._workflow = collector, stream, workflow
        self._variation, self._weights_of = variation, weights_of
        self._next = 0

    def next_batch(self, weights: ActorWeights, count: int) -> Episodes:
        """`count` episodes; the weights are those of a policy that is told nothing, and not played."""
        seeds = self._stream.seeds(self._next, count)
        self._next += count
        return play_told(self._collector, self._weights_of, seeds, self._workflow, self._variation)

    def state_dict(self) -> dict[str, Any]:
        """Which episodes have been handed over, as plain data."""
        return {"next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the episodes that were handed over."""
        self._next = state["next"]

    def close(self) -> None:
        """Nothing is under way."""
