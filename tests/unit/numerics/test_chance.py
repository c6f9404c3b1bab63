import numpy as np
import pytest

from cageflow.numerics.chance import normal_numbers, orthogonal_rows


def uniforms_of(seed):
    return np.random.default_rng(seed).random


def test_normal_numbers__have_the_moments_and_shares_of_the_normal_distribution():
    x = normal_numbers(200_001, uniforms_of(0))
    assert len(x) == 200_001
    assert [np.mean(x**k) for k in (1, 2, 3, 4)] == pytest.approx([0.0, 1.0, 0.0, 3.0], abs=0.05)
    assert [np.mean(np.abs(x) < k) for k in (1, 2, 3)] == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.003)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.01


@pytest.mark.parametrize(("num_rows", "width"), [(1, 1), (3, 5), (16, 16), (64, 269)])
def test_orthogonal_rows__are_orthonormal(num_rows, width):
    rows = orthogonal_rows(num_rows, width, uniforms_of(1))
    assert rows.shape == (num_rows, width)
    assert rows @ rows.T == pytest.approx(np.eye(num_rows), abs=1e-14)


def test_orthogonal_rows__favour_no_direction():
    many = np.array([orthogonal_rows(2, 3, uniforms_of(seed)) for seed in range(2000)])
    assert many.mean(axis=0) == pytest.approx(np.zeros((2, 3)), abs=0.05)
    assert np.square(many).mean(axis=0) == pytest.approx(np.full((2, 3), 1 / 3), abs=0.03)


def test_orthogonal_rows__are_known_to_the_last_bit():
    # What any processor must give: the exact sum of all bits of a small matrix.
    rows = orthogonal_rows(5, 9, lambda count: (np.arange(1, count + 1) * 2654435761 % 4294967296) / 4294967296)
    assert int(rows.view(np.uint64).sum(dtype=np.uint64)) == 3904640838124985024
