"""Perturbed starts: what is played before an episode, for whom, and that all else is as it was."""

import numpy as np
import pytest

from cageflow.collect import COLLECTORS, EpisodeStream, GameSpec, make_collector
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import ASLEEP, PERTURBING_STEPS, RANDOM, UNPERTURBED, perturbing_action, start_of
from cageflow.envs.varying import Variation
from cageflow.learn.inference import pack_weights
from tests.helpers.agents import NETWORK, policy

SEEDS = EpisodeStream(7, "test").seeds(0, 40)
OPTIONS = GameOptions("meander", max_steps=20)
NUM_ACTIONS = len(NETWORK.codec)


def begun(share: float | None) -> tuple[GameBatch, np.ndarray]:
    batch = GameBatch(OPTIONS, len(SEEDS))
    table = np.zeros((len(SEEDS), NETWORK.num_observations), np.uint8)
    batch.begin(SEEDS, table)
    if share is not None:
        batch.vary(SEEDS, Variation(perturbed=share), table)
    return batch, table


def starts(share: float) -> list[int]:
    return [start_of(seed, share) for seed in SEEDS]


def test_share__is_that_of_the_episodes_half_of_them_in_each_way() -> None:
    seeds = EpisodeStream(1, "test").seeds(0, 4000)
    for share in (0.0, 0.25, 1.0):
        counts = np.bincount([start_of(seed, share) + 1 for seed in seeds], minlength=3) / len(seeds)
        assert counts == pytest.approx([1 - share, share / 2, share / 2], abs=0.03)


def test_perturbed_game__is_one_in_which_the_steps_were_played() -> None:
    batch, table = begun(0.5)
    for i, start in enumerate(starts(0.5)):
        by_hand = GameBatch(OPTIONS, 1)
        seen, reward = np.zeros((1, NETWORK.num_observations), np.uint8), np.zeros(1, np.float32)
        by_hand.begin(SEEDS[i : i + 1], seen)
        for step in range(0 if start == UNPERTURBED else PERTURBING_STEPS):
            action = perturbing_action(SEEDS[i], step, start, NUM_ACTIONS)
            assert start == RANDOM or NETWORK.codec.names[action] == "Sleep"
            by_hand.play(np.array([action], np.int16), seen, reward)
        for mine, its in ((batch.states, by_hand.states), (batch.memory.records, by_hand.memory.records)):
            for field in mine.dtype.names:
                assert np.array_equal(mine[field][i], its[field][0]), field
        assert np.array_equal(table[i], seen[0])
    assert {UNPERTURBED, ASLEEP, RANDOM} == set(starts(0.5))


def test_random_steps__draw_from_all_actions() -> None:
    drawn = {perturbing_action(seed, step, RANDOM, NUM_ACTIONS) for seed in SEEDS for step in range(PERTURBING_STEPS)}
    assert len(drawn) > 0.95 * NUM_ACTIONS and max(drawn) < NUM_ACTIONS


def test_masks__are_those_of_what_blue_knows_after_the_start() -> None:
    batch, _ = begun(1.0)
    fresh = GameBatch(OPTIONS, len(SEEDS))
    fresh.begin(SEEDS)
    fresh.memory.records.view(np.ndarray)[:] = batch.memory.records
    assert np.array_equal(batch.memory.masks(), fresh.memory.masks())


def test_all_collectors__play_the_same_perturbed_episodes_and_leave_the_others_alone() -> None:
    who = pack_weights(policy(mask_actions=True).layers, "tanh")
    spec, seeds = GameSpec(OPTIONS, masked=True), SEEDS[:12]
    found = {}
    for name in COLLECTORS:
        collector = make_collector(name, spec, 2)
        found[name] = collector.play(who, seeds, None, Variation(perturbed=0.5))
        collector.close()
    plain = make_collector("vector", spec, 1).play(who, seeds, None)
    is_plain = np.array(starts(0.5)[:12]) == UNPERTURBED
    assert 0 < is_plain.sum() < 12
    for name, episodes in found.items():
        assert np.array_equal(episodes.rollout.actions, found["vector"].rollout.actions), name
        assert np.array_equal(episodes.env_returns, found["vector"].env_returns), name
    vector = found["vector"]
    assert np.array_equal(vector.env_returns[is_plain], plain.env_returns[is_plain])
    assert (vector.env_returns[~is_plain] < plain.env_returns[~is_plain] - 1).mean() > 0.7
    assert vector.rollout.actions.shape == plain.rollout.actions.shape  # the start is no part of the episode
