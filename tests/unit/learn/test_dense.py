import numpy as np
import pytest
import torch

from cageflow.learn.config import ACTIVATIONS
from cageflow.learn.dense import BLOCK_ROWS, pack_stack, set_bits_of, stack_outputs

SIZES = [(9, (5,), 3), (20, (16, 24), 11), (70, (64, 64), 145), (12, (7, 130, 8), 1)]


def layers_of(num_bits, hidden, num_outputs, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [num_bits, *hidden, num_outputs]
    return [
        (rng.normal(size=(o, i)).astype(np.float32) / np.float32(np.sqrt(i)), rng.normal(size=o).astype(np.float32))
        for i, o in zip(sizes[:-1], sizes[1:], strict=True)
    ]


def outputs_of(layers, activation, observations):
    layout, weights = pack_stack(layers)
    return stack_outputs(layout, weights, ACTIVATIONS.index(activation), *set_bits_of(observations))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("num_bits", "hidden", "num_outputs"), SIZES)
def test_outputs__are_those_of_torch(num_bits, hidden, num_outputs, activation):
    layers = layers_of(num_bits, hidden, num_outputs)
    observations = (np.random.default_rng(1).random((BLOCK_ROWS + 9, num_bits)) < 0.4).astype(np.uint8)
    x = torch.from_numpy(observations).double()
    for number, (weight, bias) in enumerate(layers):
        x = x @ torch.from_numpy(weight).double().T + torch.from_numpy(bias).double()
        if number < len(layers) - 1:
            x = torch.tanh(x) if activation == "tanh" else torch.relu(x)
    got = outputs_of(layers, activation, observations)
    assert got[:, :num_outputs] == pytest.approx(x.numpy(), abs=3e-6)
    assert not got[:, num_outputs:].any()


def test_outputs__of_a_row_are_the_same_to_the_last_bit_in_any_company():
    layers = layers_of(70, (64, 64), 145)
    observations = (np.random.default_rng(1).random((3 * BLOCK_ROWS + 1, 70)) < 0.4).astype(np.uint8)
    together = outputs_of(layers, "tanh", observations)
    for row in (0, 2, 127, 128, 200, 384):
        assert np.array_equal(outputs_of(layers, "tanh", observations[row : row + 1])[0], together[row])
    assert np.array_equal(outputs_of(layers, "tanh", observations[::-1].copy()), together[::-1])


def test_set_bits__are_listed_row_after_row():
    observations = np.array([[0, 1, 1], [0, 0, 0], [1, 0, 2]], np.uint8)
    starts, places = set_bits_of(observations)
    assert starts.tolist() == [0, 2, 2, 4]
    assert places[:4].tolist() == [1, 2, 0, 2]
