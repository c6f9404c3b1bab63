"""Collectors under an enforced order: whatever the policy, no fix is chosen that has to wait."""

from dataclasses import replace

import numpy as np
import pytest

from cageflow.collect import Episodes, EpisodeStream, GameSpec, WorkflowSpec, make_collector
from cageflow.collect.collectors import COLLECTORS
from cageflow.envs.options import GameOptions
from cageflow.learn.inference import ActorWeights, pack_weights
from cageflow.scenario import BlueKind, Network
from cageflow.workflow.compliance import WorkflowMode

STREAM = EpisodeStream(3, "test")


def spec(*, masked: bool = True, memory: bool = False, max_steps: int = 30, **game: object) -> GameSpec:
    options = GameOptions(**{"red_agent": "meander", "max_steps": max_steps, **game})  # type: ignore[arg-type]
    return GameSpec(options, masked, memory=memory)


def fixer(network: Network, seed: int) -> ActorWeights:
    """A policy of random logits that would rather fix than not."""
    rng = np.random.default_rng(seed)
    fixes = np.isin(network.codec.kind, [BlueKind.REMOVE, BlueKind.RESTORE])
    weight = rng.normal(0.0, 2.0, (len(network.codec), network.num_observations)).astype(np.float32)
    return pack_weights([(weight, np.where(fixes, 3.0, 0.0).astype(np.float32))], "tanh")


def workflow(network: Network, seed: int = 0, mode: WorkflowMode = "enforced") -> WorkflowSpec:
    rng = np.random.default_rng(seed)
    return WorkflowSpec(network.orders.unrank(int(rng.integers(len(network.orders)))), 0.0, "evictable", mode)


def departures(network: Network, workflow: WorkflowSpec, episodes: Episodes) -> int:
    """Fixes that were chosen while blue's table gave a host of a type before their own as anything but clean."""
    rollout, kinds = episodes.rollout, np.asarray(network.codec.kind)
    types = np.array([workflow.order.index(host.unit_type) for host in network.scenario.hosts.values()])
    red = network.scenario.red
    began = [network.hosts.index(name) for name in (red.start, *(one.host for one in red.footholds))]
    found = 0
    for observations, action in zip(rollout.observations[rollout.observation_idx], rollout.actions, strict=True):
        for bits, chosen in zip(observations, action, strict=True):
            flagged = bits.reshape(-1, 4)[:, 2:].any(axis=1)
            flagged[began] = False
            is_fix = kinds[chosen] in (BlueKind.REMOVE, BlueKind.RESTORE)
            found += is_fix and flagged.any() and types[flagged].min() < types[network.codec.host[chosen]]
    return found


@pytest.mark.parametrize(
    ("game", "masked"),
    [
        ({"durations": "2,3,5,2"}, True),
        ({"scenario": "plant"}, True),
        ({"rules": "challenge"}, True),
        ({"rules": "challenge"}, False),
    ],
    ids=str,
)
def test_vector__never_fixes_what_has_to_wait(game: dict[str, str], masked: bool) -> None:
    asked = spec(masked=masked, **game)
    network = asked.options.network
    told, policy = workflow(network), fixer(network, 0)
    player = make_collector("vector", asked, 1)
    kept = player.play(policy, STREAM.seeds(0, 60), told)
    free = player.play(policy, STREAM.seeds(0, 60), replace(told, mode="rewarded"))
    player.close()
    assert departures(network, told, kept) == 0
    assert departures(network, told, free) > 0, "without masks it would"
    assert kept.rollout.masks is not None and (free.rollout.masks is not None) == masked
    assert not kept.rollout.alignment_rewards.any()


@pytest.mark.parametrize("masked", [True, False])
def test_all_collectors_keep_the_order_alike(masked: bool) -> None:
    asked = spec(masked=masked, max_steps=20)
    network = asked.options.network
    told, found = workflow(network), {}
    for name in COLLECTORS:
        player = make_collector(name, asked, 2)
        found[name] = player.play(fixer(network, 1), STREAM.seeds(0, 5), told).rollout.actions.tobytes()
        player.close()
    assert len(set(found.values())) == 1


def test_tests_of_an_enforced_order__are_all_passed_by_what_blue_could_know() -> None:
    asked = spec(durations="2,3,5,2", max_steps=60)
    network = asked.options.network
    player = make_collector("vector", asked, 1)
    modes: tuple[WorkflowMode, ...] = ("enforced", "rewarded")
    tests = {mode: np.zeros(2, np.int64) for mode in modes}  # by what blue could know, and those that complied
    for seed in range(3):
        for mode in modes:
            told = workflow(network, seed, mode)
            tests[mode] += player.play(fixer(network, seed), STREAM.seeds(0, 40), told).tests.sum(axis=0)[2:]
    assert tests["enforced"][0] > 0 and tests["enforced"][0] == tests["enforced"][1]
    assert tests["rewarded"][0] > tests["rewarded"][1]
    player.close()
