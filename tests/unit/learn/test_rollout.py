import dataclasses

import numpy as np
import pytest

from cageflow.learn.rollout import Rollout
from tests.helpers.rollouts import rollout_of

T, B, F, A = 4, 3, 5, 6


def arrays(seed=0, masked=True):
    rng = np.random.default_rng(seed)
    return {
        "observations": rng.integers(0, 2, (T, B, F)).astype(np.uint8),
        "final_observations": rng.integers(0, 2, (B, F)).astype(np.uint8),
        "actions": rng.integers(0, A, (T, B)),
        "log_probs": -rng.random((T, B)).astype(np.float32),
        "env_rewards": rng.normal(size=(T, B)).astype(np.float32),
        "alignment_rewards": rng.normal(size=(T, B)).astype(np.float32),
        "masks": rng.integers(0, 2, (T, B, A)).astype(np.uint8) if masked else None,
    }


def steps_of(rollout):
    """What `rollout_of` was given."""
    return {
        "observations": rollout.observations[rollout.observation_idx],
        "final_observations": rollout.observations[rollout.final_observation_idx],
        "actions": rollout.actions,
        "log_probs": rollout.log_probs,
        "env_rewards": rollout.env_rewards,
        "alignment_rewards": rollout.alignment_rewards,
        "masks": None if rollout.masks is None else rollout.masks[rollout.mask_idx],
    }


def assert_same(given, wanted):
    for name, array in wanted.items():
        if array is None:
            assert given[name] is None
        else:
            assert (given[name] == array).all(), name


@pytest.mark.parametrize("masked", [True, False])
def test_rollout__keeps_every_step_and_each_observation_once(masked):
    given = arrays(masked=masked)
    rollout = rollout_of(**given)
    assert_same(steps_of(rollout), given)
    everything = np.concatenate([given["observations"].reshape(-1, F), given["final_observations"]])
    assert len(rollout.observations) == len(np.unique(everything, axis=0))
    assert (rollout.num_steps, rollout.num_episodes) == (T, B)


@pytest.mark.parametrize("masked", [True, False])
def test_concatenate__puts_episodes_side_by_side_and_merges_the_tables(masked):
    parts = [arrays(seed, masked) for seed in range(3)]
    rollout = Rollout.concatenate([rollout_of(**part) for part in parts])
    for number, part in enumerate(parts):
        columns = slice(number * B, (number + 1) * B)
        mine = {
            name: None if array is None else (array[columns] if name == "final_observations" else array[:, columns])
            for name, array in steps_of(rollout).items()
        }
        assert_same(mine, part)
    assert len(np.unique(rollout.observations, axis=0)) == len(rollout.observations)


def test_with_bits__puts_the_bits_after_each_observation_and_leaves_the_rest():
    given = arrays()
    bits = np.array([1, 0, 1], np.uint8)
    steps = steps_of(rollout_of(**given).with_bits(bits))
    for name in ("observations", "final_observations"):
        longer = steps.pop(name)
        assert (longer[..., :F] == given.pop(name)).all()
        assert (longer[..., F:] == bits).all()
    assert_same(steps, given)


def test_with_bits__keeps_what_two_groups_saw_apart():
    part = rollout_of(**arrays())
    groups = [part.with_bits(np.array(bits, np.uint8)) for bits in ([0, 1], [1, 0], [0, 1])]
    assert len(Rollout.concatenate(groups).observations) == 2 * len(part.observations)


def test_with_bits__refuses_what_is_no_row_of_bits():
    rollout = rollout_of(**arrays())
    with pytest.raises(ValueError, match=r"expected \(D,\) uint8 bits, got \(3,\) float32"):
        rollout.with_bits(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r"expected \(D,\) uint8 bits, got \(1, 3\) uint8"):
        rollout.with_bits(np.zeros((1, 3), np.uint8))


def test_rewards__are_the_sum_of_both_kinds():
    given = arrays()
    assert (rollout_of(**given).rewards == given["env_rewards"] + given["alignment_rewards"]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observations": np.zeros((4, F), np.float32)}, r"expected \(U, F\) uint8 observations, got \(4, 5\) float32"),
        ({"observation_idx": np.zeros(T, int)}, r"expected \(T, B\) observation_idx of at least one step, got \(4,\)"),
        ({"observation_idx": np.zeros((0, B), int)}, r"at least one step, got \(0, 3\)"),
        ({"actions": np.zeros((B, T), int)}, r"expected \(4, 3\) actions, got \(3, 4\)"),
        ({"log_probs": np.zeros((T, B, 1))}, r"expected \(4, 3\) log_probs, got \(4, 3, 1\)"),
        ({"env_rewards": np.zeros(T)}, r"expected \(4, 3\) env_rewards, got \(4,\)"),
        ({"alignment_rewards": np.zeros(B)}, r"expected \(4, 3\) alignment_rewards, got \(3,\)"),
        ({"final_observation_idx": np.zeros(T, int)}, r"expected \(3,\) final_observation_idx, got \(4,\)"),
        ({"final_observation_idx": np.full(B, 99)}, r"expected final_observation_idx of 0 to \d+, got 99 to 99"),
        ({"observation_idx": np.full((T, B), -1)}, r"expected observation_idx of 0 to \d+, got -1 to -1"),
        ({"masks": None}, "expected masks and mask_idx together, got one of them"),
        ({"masks": np.zeros((9, A))}, r"expected \(M, A\) uint8 masks, got \(9, 6\) float64"),
        ({"mask_idx": np.zeros((T, 1), int)}, r"expected \(4, 3\) mask_idx, got \(4, 1\)"),
        ({"mask_idx": np.full((T, B), 50)}, r"expected mask_idx of 0 to \d+, got 50 to 50"),
    ],
)
def test_rollout__refuses_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(rollout_of(**arrays()), **changes)


def test_concatenate__refuses_parts_that_do_not_fit_and_none_at_all():
    whole = rollout_of(**arrays())
    with pytest.raises(ValueError, match="expected rollouts of one"):
        Rollout.concatenate([whole, rollout_of(**arrays(masked=False))])
    with pytest.raises(ValueError, match="expected at least one rollout, got none"):
        Rollout.concatenate([])
