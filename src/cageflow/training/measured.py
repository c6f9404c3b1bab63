"""What a trained policy is worth on episodes that decided nothing: neither its training nor the choice of it."""

from __future__ import annotations

from functools import partial

from cageflow.collect import Collector
from cageflow.envs.seeds import EpisodeStream
from cageflow.envs.varying import UNVARIED
from cageflow.learn.policy import Policy
from cageflow.scenario.orders import Order
from cageflow.settings.commands import PolicyConfig
from cageflow.training.told_rules import play_told, told_weights
from cageflow.training.trainer import FreshEvaluation


def measure_afresh(policy: Policy, order: Order, config: PolicyConfig, collector: Collector) -> FreshEvaluation:
    """Play a policy of a run for as many episodes as its trials are judged on, with seeds that no trial has.

    Args:
        policy: follows `order`.
        order: that it is judged by.
        config: of the run; its seed decides the episodes, alike for all policies.
        collector: who plays them.
    """
    seeds = EpisodeStream(config.seed, "recommended").seeds(0, config.evaluation_episodes)
    spec = config.workflow_spec(order)
    if policy.card.is_told_rules:
        return FreshEvaluation.of(play_told(collector, partial(told_weights, policy), seeds, spec, UNVARIED))
    return FreshEvaluation.of(collector.play(told_weights(policy, config.rules), seeds, spec))
