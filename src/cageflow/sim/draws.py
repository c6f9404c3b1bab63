"""The random stream of an environment, and the one way to draw from it.

Each environment carries its own stream, so that one cannot touch another, and each draw has a name (`Draw`) under
which a recording can force it. The generator is SplitMix64 (Steele, Lea and Flood, 2014).
"""

import numpy as np
from numba import njit

from cageflow.sim.enums import Tape

FREE = Tape.FREE.value
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
S27, S30, S31, S32, S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32), np.uint64(11)
UNIT = 1.0 / 9007199254740992.0  # 2 ** -53


@njit(cache=True)
def mix(x):
    """Scramble 64 bits; neighbouring inputs give unrelated outputs.

    Args:
        x: uint64.

    Returns:
        uint64.
    """
    x = (x ^ (x >> S30)) * MIX_1
    x = (x ^ (x >> S27)) * MIX_2
    return x ^ (x >> S31)


@njit(cache=True)
def next_bits(s):
    """64 fresh bits of the environment's stream; writes `s.rng`."""
    s.rng += GOLDEN
    return mix(s.rng)


@njit(cache=True)
def unit_of(bits):
    """A float64 in [0, 1) from 64 bits."""
    return (bits >> S11) * UNIT


@njit(cache=True)
def index_of(bits, n):
    """An integer in [0, n) from 64 bits; its bias is below n / 2**32."""
    return np.int64(((bits >> S32) * np.uint64(n)) >> S32)


@njit(cache=True)
def count_bits(mask):
    """Number of ones in a mask."""
    n = 0
    while mask != 0:
        mask &= mask - 1
        n += 1
    return n


@njit(cache=True)
def nth_bit(mask, n):
    """Position of the n-th one of a mask, the lowest being the 0-th; 0 <= n < count_bits(mask)."""
    for _ in range(n):
        mask &= mask - 1
    position = 0
    while not mask & 1:
        mask >>= 1
        position += 1
    return position


@njit(cache=True)
def draw_member(s, draw, mask):
    """Draw one bit of a mask, all equally likely.

    Args:
        s: the environment; `s.rng` moves on unless the draw is forced.
        draw: Draw, its name.
        mask: the candidates, not 0.

    Returns:
        Position of the bit. A forced value that is no candidate sets `s.tape_fault` and gives the lowest candidate.
    """
    forced = int(s.forced[draw])
    if forced == FREE:
        return nth_bit(mask, index_of(next_bits(s), count_bits(mask)))
    if forced >= 0 and mask >> forced & 1:
        return forced
    s.tape_fault = 1
    return nth_bit(mask, 0)


@njit(cache=True)
def draw_chance(s, draw, probability):
    """Draw yes or no.

    Args:
        s: the environment; `s.rng` moves on unless the draw is forced.
        draw: Draw, its name.
        probability: of yes.
    """
    forced = int(s.forced[draw])
    if forced == FREE:
        return unit_of(next_bits(s)) < probability
    if forced != 0 and forced != 1:
        s.tape_fault = 1
    return forced == 1


@njit(cache=True)
def draw_index(s, draw, n):
    """Draw an integer in [0, n), all equally likely; a forced value out of range sets `s.tape_fault` and gives 0."""
    forced = int(s.forced[draw])
    if forced == FREE:
        return index_of(next_bits(s), n)
    if 0 <= forced < n:
        return forced
    s.tape_fault = 1
    return 0
