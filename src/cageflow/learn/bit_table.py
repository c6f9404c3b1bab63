"""A table of distinct rows of bits, so that what depends on a row alone is computed once per distinct row.

Observations are 52 bits and a rollout of 20,000 steps holds from a few dozen (a trained policy) to a few thousand of
them, so the network runs on the table and not on the steps.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cageflow.numerics.vectors import eight_bits, word_bits

WORD_BITS = 64
_EMPTY = -1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_HALF_WORD = np.uint64(32)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class TableRoom(NamedTuple):
    """A table as compiled code takes it: see `find_or_add`."""

    slots: NDArray[np.int32]
    words: NDArray[np.uint64]
    rows: NDArray[np.uint8]
    word: NDArray[np.uint64]


class BitTable:
    """Distinct rows of bits, numbered in the order in which they were first seen.

    Args:
        num_bits: F, bits in a row.
        capacity: rows that fit before the table grows for the first time; it doubles as often as need be.
    """

    def __init__(self, num_bits: int, capacity: int = 1024) -> None:
        if num_bits < 1:
            raise ValueError(f"num_bits is {num_bits}, expected at least 1")
        self.num_bits = num_bits
        self._num_rows = 0
        self._bits = np.zeros((capacity, num_bits), np.uint8)
        self._words = np.zeros((capacity, -(-num_bits // WORD_BITS)), np.uint64)
        self._slots = np.full(_num_slots(capacity), _EMPTY, np.int32)
        self._word = np.empty(self._words.shape[1], np.uint64)

    def __len__(self) -> int:
        return self._num_rows

    @property
    def rows(self) -> NDArray[np.uint8]:
        """(R, F) uint8 of 0 and 1: the distinct rows so far, a view that is valid until the next `index` or `clear`."""
        return self._bits[: self._num_rows]

    @property
    def capacity(self) -> int:
        """Rows that fit without growing."""
        return self._bits.shape[0]

    def clear(self) -> None:
        """Forget all rows; the memory is kept."""
        self._num_rows = 0
        self._slots.fill(_EMPTY)

    def index(self, bits: NDArray[np.uint8], out: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """Numbers of rows, adding those never seen.

        Args:
            bits: (B, F) uint8 or bool; anything but 0 counts as 1.
            out: (B,) int32 to write to; None: a new array.

        Raises:
            ValueError: `bits` is not (B, F) of one byte each.
        """
        if bits.ndim != 2 or bits.shape[1] != self.num_bits or bits.dtype.itemsize != 1:
            raise ValueError(f"expected (B, {self.num_bits}) uint8, got {bits.shape} {bits.dtype}")
        if out is None:
            out = np.empty(bits.shape[0], np.int32)
        self.reserve(self._num_rows + bits.shape[0])
        self._num_rows = find_or_add(
            bits.view(np.uint8), self._slots, self._words, self._bits, self._num_rows, self._word, out
        )
        return out

    def room(self) -> TableRoom:
        """The table for compiled code, which adds rows by `find_or_add_row` and then tells `fill`."""
        return TableRoom(self._slots, self._words, self._bits, self._word)

    def fill(self, num_rows: int) -> None:
        """Take note that compiled code has brought the rows to so many."""
        self._num_rows = num_rows

    def reserve(self, num_rows: int) -> None:
        """Make room for `num_rows` rows in all."""
        capacity = self.capacity
        if num_rows <= capacity:
            return
        while capacity < num_rows:
            capacity *= 2
        self._bits = _grown(self._bits, capacity)
        self._words = _grown(self._words, capacity)
        self._slots = np.full(_num_slots(capacity), _EMPTY, np.int32)
        _fill_slots(self._slots, self._words, self._num_rows)


@njit(cache=True, nogil=True)
def find_or_add(
    bits: NDArray[np.uint8],
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    num_rows: int,
    word: NDArray[np.uint64],
    out: NDArray[np.int32],
) -> int:
    """Look rows up in a hash table with open addressing, appending those that are new.

    Args:
        bits: (B, F) uint8.
        slots: (S,) int32, S a power of 2 and more than the rows that there can be: number of a row, or -1.
        words: (R, W) uint64, the bits of the rows packed, written for new rows; room for B more.
        rows: (R, F) uint8, the rows, likewise.
        num_rows: rows in use.
        word: (W,) uint64, scratch.
        out: (B,) int32, written: number of each row.

    Returns:
        Rows in use afterwards.
    """
    for b in range(bits.shape[0]):
        out[b] = find_or_add_row(bits[b], slots, words, rows, num_rows, word)
        num_rows = max(num_rows, out[b] + 1)
    return num_rows


@njit(cache=True, nogil=True)
def find_or_add_row(
    bits: NDArray[np.uint8],
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    num_rows: int,
    word: NDArray[np.uint64],
) -> int:
    """The number of one row of (F,) uint8 bits, which is `num_rows` where it is new; see `find_or_add`."""
    for w in range(word.shape[0]):
        word[w] = _pack(bits, w)
    return find_or_add_packed(word, bits, slots, words, rows, num_rows)


@njit(cache=True, nogil=True)
def find_or_add_packed(
    word: NDArray[np.uint64],
    bits: NDArray[np.uint8],
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
    rows: NDArray[np.uint8],
    num_rows: int,
) -> int:
    """`find_or_add_row` where the bits are packed already: bit f is bit f % 64 of `word[f // 64]`."""
    mask = slots.shape[0] - 1
    slot = _hash(word) & mask
    while slots[slot] != _EMPTY and not _same(words[slots[slot]], word):
        slot = (slot + 1) & mask
    if slots[slot] == _EMPTY:
        slots[slot] = num_rows
        for w in range(word.shape[0]):
            words[num_rows, w] = word[w]
        for f in range(bits.shape[0]):
            rows[num_rows, f] = 1 if bits[f] else 0
    number: int = slots[slot]
    return number


@njit(cache=True, nogil=True)
def _fill_slots(slots: NDArray[np.int32], words: NDArray[np.uint64], num_rows: int) -> None:
    """Enter rows 0..num_rows-1, all distinct, in empty `slots`."""
    mask = slots.shape[0] - 1
    for row in range(num_rows):
        slot = _hash(words[row]) & mask
        while slots[slot] != _EMPTY:
            slot = (slot + 1) & mask
        slots[slot] = row


@njit(nogil=True)
def _pack(bits: NDArray[np.uint8], w: int) -> np.uint64:
    """Word number `w` of a row of bits."""
    start = w * WORD_BITS
    count = min(WORD_BITS, bits.shape[0] - start)
    if count == WORD_BITS:
        whole: np.uint64 = word_bits(bits, start)
        return whole
    word = _ZERO
    i = 0
    while i + 8 <= count:
        word |= eight_bits(bits, start + i) << np.uint64(i)
        i += 8
    while i < count:
        word |= (_ONE if bits[start + i] else _ZERO) << np.uint64(i)
        i += 1
    return word


@njit(nogil=True)
def _hash(words: NDArray[np.uint64]) -> int:
    """A number of 0..2**32-1 whose low bits depend on all bits of `words`."""
    h = _ZERO
    for w in range(words.shape[0]):
        h = (h ^ words[w]) * _MULTIPLIER
        h ^= h >> _HALF_WORD
        h *= _MULTIPLIER
    return np.int64(h >> _HALF_WORD)  # type: ignore[return-value]


@njit(nogil=True)
def _same(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> bool:
    for w in range(a.shape[0]):
        if a[w] != b[w]:
            return False
    return True


def _num_slots(capacity: int) -> int:
    """Slots for `capacity` rows: a power of 2, at most half of them filled."""
    return 1 << (2 * capacity - 1).bit_length()


def _grown(array: NDArray[Any], capacity: int) -> NDArray[Any]:
    """A longer copy of `array`, the new rows zero."""
    grown = np.zeros((capacity, *array.shape[1:]), array.dtype)
    grown[: array.shape[0]] = array
    return grown
