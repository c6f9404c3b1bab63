"""The random stream against published numbers, and what a forced draw does."""

import numpy as np
import pytest

from cageflow.sim.draws import (
    count_bits,
    draw_chance,
    draw_index,
    draw_member,
    index_of,
    next_bits,
    nth_bit,
    unit_of,
)
from cageflow.sim.enums import Draw
from tests.helpers.lab import Lab

HOSTS_1_4_9 = 1 << 1 | 1 << 4 | 1 << 9


def test_next_bits__are_splitmix64():
    lab = Lab()
    lab.s.rng = 0
    first = [int(next_bits(lab.s)) for _ in range(3)]
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]  # published for seed 0


def test_unit_of__covers_zero_to_just_below_one():
    assert unit_of(np.uint64(0)) == 0.0
    assert unit_of(np.uint64(1 << 63)) == 0.5
    assert unit_of(np.uint64(2**64 - 1)) == 1.0 - 2.0**-53


def test_index_of__scales_the_upper_half():
    assert index_of(np.uint64(0), 13) == 0
    assert index_of(np.uint64(1 << 63), 13) == 6  # 13 / 2 rounded down
    assert index_of(np.uint64(2**64 - 1), 13) == 12
    assert index_of(np.uint64(2**64 - 1), 1) == 0


def test_count_bits_and_nth_bit__find_every_one_of_a_mask():
    assert [count_bits(mask) for mask in (0, 1, 6, HOSTS_1_4_9, 2**31 - 1)] == [0, 1, 2, 3, 31]
    assert [nth_bit(HOSTS_1_4_9, n) for n in range(3)] == [1, 4, 9]


def test_draw_member__free__takes_every_member_about_equally_often():
    lab = Lab()
    drawn = np.array([draw_member(lab.s, Draw.RED_TARGET, HOSTS_1_4_9) for _ in range(6000)])
    share = np.bincount(drawn, minlength=10)[[1, 4, 9]] / 6000
    assert share.sum() == 1.0
    assert np.abs(share - 1 / 3).max() < 0.025  # 4 standard errors


@pytest.mark.parametrize("probability", [0.0, 0.5, 0.95, 1.0])
def test_draw_chance__free__says_yes_with_its_probability(probability):
    lab = Lab()
    share = np.mean([draw_chance(lab.s, Draw.DETECTION, probability) for _ in range(6000)])
    assert abs(share - probability) < 0.026


def test_draw_index__free__takes_every_index_about_equally_often():
    lab = Lab()
    share = np.bincount([draw_index(lab.s, Draw.SESSION, 4) for _ in range(6000)], minlength=4) / 6000
    assert np.abs(share - 1 / 4).max() < 0.023


def test_free_draw__moves_the_stream_by_one():
    lab, other = Lab(), Lab()
    draw_member(lab.s, Draw.RED_TARGET, HOSTS_1_4_9)
    next_bits(other.s)
    assert lab.s.rng == other.s.rng


def test_forced_draw__gives_its_value_and_leaves_the_stream():
    lab = Lab()
    before = int(lab.s.rng)
    lab.force(red_target=4, detection=1, session=2)
    assert draw_member(lab.s, Draw.RED_TARGET, HOSTS_1_4_9) == 4
    assert draw_chance(lab.s, Draw.DETECTION, 0.0)
    assert draw_index(lab.s, Draw.SESSION, 3) == 2
    lab.force(detection=0)
    assert not draw_chance(lab.s, Draw.DETECTION, 1.0)
    assert int(lab.s.rng) == before
    assert lab.s.tape_fault == 0


@pytest.mark.parametrize("value", [-1, 0, 2])
def test_draw_member__forced_to_no_candidate__is_a_fault_and_gives_the_lowest(value):
    lab = Lab()
    lab.force(red_target=value)
    assert draw_member(lab.s, Draw.RED_TARGET, HOSTS_1_4_9) == 1
    assert lab.s.tape_fault == 1


@pytest.mark.parametrize("value", [-1, 2])
def test_draw_chance__forced_to_neither_yes_nor_no__is_a_fault(value):
    lab = Lab()
    lab.force(detection=value)
    assert not draw_chance(lab.s, Draw.DETECTION, 1.0)
    assert lab.s.tape_fault == 1


@pytest.mark.parametrize("value", [-1, 3])
def test_draw_index__forced_out_of_range__is_a_fault_and_gives_zero(value):
    lab = Lab()
    lab.force(session=value)
    assert draw_index(lab.s, Draw.SESSION, 3) == 0
    assert lab.s.tape_fault == 1
