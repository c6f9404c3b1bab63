import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cageflow.learn.bit_table import BitTable


def test_index__numbers_rows_in_the_order_first_seen():
    table = BitTable(3)
    bits = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]], np.uint8)
    assert table.index(bits).tolist() == [0, 1, 0, 2]
    assert table.index(bits[::-1].copy()).tolist() == [2, 0, 1, 0]
    assert table.rows.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


@given(
    seed=st.integers(0, 2**32),
    num_bits=st.sampled_from([1, 2, 52, 63, 64, 65, 145, 200]),
    num_rows=st.integers(1, 300),
    capacity=st.integers(1, 8),
)
def test_index__is_an_exact_inverse_whatever_the_width_and_however_often_it_grows(seed, num_bits, num_rows, capacity):
    rng = np.random.default_rng(seed)
    pool = (rng.random((max(1, num_rows // 3), num_bits)) < rng.random()).astype(np.uint8)
    bits = pool[rng.integers(0, len(pool), num_rows)]
    table = BitTable(num_bits, capacity)
    parts = [table.index(part) for part in np.array_split(bits, 4)]
    idx = np.concatenate(parts)
    assert (table.rows[idx] == bits).all()
    assert len(table) == len(np.unique(bits, axis=0))


@pytest.mark.parametrize("bit", [0, 31, 32, 51, 63, 64, 127, 128, 144])
def test_index__tells_rows_apart_that_differ_in_one_bit(bit):
    bits = np.zeros((2, 145), np.uint8)
    bits[1, bit] = 1
    assert BitTable(145).index(bits).tolist() == [0, 1]


def test_index__takes_anything_but_zero_as_one():
    table = BitTable(2)
    assert table.index(np.array([[1, 0], [7, 0]], np.uint8)).tolist() == [0, 0]
    assert table.index(np.array([[True, False]])).tolist() == [0]
    assert table.rows.tolist() == [[1, 0]]


def test_index__writes_into_a_callers_array():
    out = np.full(2, -5, np.int32)
    assert BitTable(1).index(np.array([[1], [0]], np.uint8), out) is out
    assert out.tolist() == [0, 1]


def test_clear__forgets_all_rows():
    table = BitTable(2)
    table.index(np.array([[0, 1], [1, 1]], np.uint8))
    table.clear()
    assert len(table) == 0
    assert table.index(np.array([[1, 1]], np.uint8)).tolist() == [0]
    assert table.rows.tolist() == [[1, 1]]


@pytest.mark.parametrize("bits", [np.zeros(3, np.uint8), np.zeros((2, 4), np.uint8), np.zeros((2, 3), np.float32)])
def test_index__refuses_other_shapes_and_types(bits):
    with pytest.raises(ValueError, match=r"expected \(B, 3\) uint8, got"):
        BitTable(3).index(bits)
