import numpy as np
import pytest
import torch

from cageflow.learn.generator import Generator

SEEDS = [0, 1, 12345, 2**32 - 1, 2**32 + 5, 2**63 - 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers__are_those_of_torch_in_any_mixture(seed):
    ours, theirs = Generator(seed), torch.Generator().manual_seed(seed)
    for count in (1, 2, 3, 7, 624, 3000, 0, 20_001):
        whole = torch.randint(1 << 53, (count,), generator=theirs).numpy()
        assert np.array_equal(ours.uniforms(count), whole * 2.0**-53)
        assert np.array_equal(ours.permutation(count), torch.randperm(count, generator=theirs).numpy())


def test_permutation__of_every_small_number_is_that_of_torch():
    ours, theirs = Generator(3), torch.Generator().manual_seed(3)
    for count in range(300):
        assert np.array_equal(ours.permutation(count), torch.randperm(count, generator=theirs).numpy()), count


def test_state__goes_on_exactly_and_is_a_copy():
    first, second = Generator(1), Generator(2)
    first.uniforms(100)
    state = first.state_dict()
    wanted = first.uniforms(1000)
    second.load_state_dict(state)
    assert np.array_equal(second.uniforms(1000), wanted)


@pytest.mark.parametrize("change", [{"key": np.zeros(3, np.uint32)}, {"key": np.zeros(624)}, {"position": 625}])
def test_state__that_is_none_is_refused(change):
    with pytest.raises(ValueError, match="expected the 624 words"):
        Generator(1).load_state_dict({**Generator(1).state_dict(), **change})
