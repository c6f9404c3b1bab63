"""Bands over seeds, worked by hand, and the chart that they make."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from cageflow.report.compare.curves import curves_chart, make_band
from cageflow.report.compare.groups import Group
from cageflow.report.drawing import draw
from tests.unit.report.compare.compare_runs import curve, member

PLACES = [100, 200]


def test_band_of_five_seeds__is_the_t_interval_of_their_mean() -> None:
    band = make_band([curve(PLACES, [-30.0, value]) for value in (-10.0, -15.0, -20.0, -25.0, -30.0)])
    assert band is not None
    assert band.low is not None
    assert band.high is not None
    assert (band.episodes.tolist(), band.mean.tolist()) == (PLACES, [-30.0, -20.0])
    half = 2.776445 * math.sqrt(62.5) / math.sqrt(5)
    assert band.low.tolist() == pytest.approx([-30.0, -20.0 - half])
    assert band.high.tolist() == pytest.approx([-30.0, -20.0 + half])
    assert band.words == "updates, mean of 5 seeds and its 95 % t-interval"


def test_band_of_two_seeds__is_their_range() -> None:
    band = make_band([curve(PLACES, [-30.0, -10.0]), curve(PLACES, [-40.0, -30.0])])
    assert band is not None
    assert band.low is not None
    assert band.high is not None
    assert (band.mean.tolist(), band.low.tolist(), band.high.tolist()) == ([-35, -20], [-40, -30], [-30, -10])
    assert band.words == "updates, mean and range of 2 seeds"


@pytest.mark.parametrize("num_seeds", [2, 3, 4])
def test_band_of_few_seeds__does_not_leave_what_they_did(num_seeds: int) -> None:
    ends = np.geomspace(-10.0, -200.0, num_seeds)  # a t-interval of three such would reach far above 0
    band = make_band([curve(PLACES, [-30.0, end]) for end in ends])
    assert band is not None and band.low is not None and band.high is not None
    assert (band.low[-1], band.high[-1]) == (ends.min(), ends.max())


def test_panels__share_their_axes() -> None:
    groups = [
        Group("one", (member(1, line=curve(PLACES, [-300.0, -10.0])),)),
        Group("two", (member(1, "RedMeanderAgent", curve([100, 400], [-12.0, -11.0])),)),
    ]
    chart = curves_chart(groups)
    assert chart is not None
    for narrow in (False, True):
        figure = Figure()
        chart.draw(figure, narrow)
        first, second = figure.axes
        assert first.get_ylim() == second.get_ylim() and first.get_xlim() == second.get_xlim()
        assert first.get_yscale() == second.get_yscale() == "symlog"


def test_one_seed__has_no_band() -> None:
    band = make_band([curve(PLACES, [-30.0, -10.0], is_best=True)])
    assert band is not None
    assert (band.low, band.high, band.words, band.rests) == (None, None, "best so far, one seed", ())


def test_curves_of_unequal_lengths_and_places__have_a_mean_where_all_have_values() -> None:
    short, long = curve([100, 300], [-50.0, -30.0]), curve([200, 400], [-20.0, -10.0])
    band = make_band([short, long])
    assert band is not None
    assert band.episodes.tolist() == [200, 300]  # the second begins at 200, the first ends at 300
    assert band.mean.tolist() == [(-40 - 20) / 2, (-30 - 15) / 2]
    (rest,) = band.rests  # the second goes on alone, and not in the mean
    assert (rest.episodes.tolist(), rest.rewards.tolist()) == ([300, 400], [-15, -10])


def test_curves_that_have_no_common_mean__make_no_band() -> None:
    assert make_band([curve(PLACES, [-1.0, -1.0]), curve([], [])]) is None
    assert make_band([curve([100], [-1.0]), curve([200], [-1.0])]) is None
    assert make_band([curve(PLACES, [-1.0, -1.0]), curve(PLACES, [-1.0, -1.0], is_best=True)]) is None


def test_chart__has_a_panel_for_each_game_and_says_what_its_bands_are() -> None:
    groups = [
        Group("first", tuple(member(seed, line=curve(PLACES, [-30.0, -20.0 - seed])) for seed in (1, 2, 3))),
        Group("second", tuple(member(seed, line=curve(PLACES, [-300.0, -10.0 * seed])) for seed in (1, 2))),
        Group("other", (member(1, "RedMeanderAgent", curve([100], [-5.0])),)),
        Group("no log", (member(4),)),
    ]
    chart = curves_chart(groups)
    assert chart is not None
    assert chart.text.endswith("first ends at −22.0, second ends at −15.0 and other ends at −5.0.")
    drawing = draw(chart)
    for words in (
        "B_lineAgent, rules v2.1, 100 steps",
        "RedMeanderAgent, rules v2.1, 100 steps",
        "first (updates, mean and range of 3 seeds)",
        "second (updates, mean and range of 2 seeds)",
        "other (updates, one seed)",
        "Reward an episode, logarithmic",
    ):
        assert words in drawing.wide
        assert words in drawing.narrow
    assert "no log" not in drawing.wide
    assert drawing.png.startswith(b"\x89PNG")
    assert curves_chart(groups[3:]) is None


def test_axis__is_linear_where_the_end_can_be_seen_beside_the_start() -> None:
    chart = curves_chart([Group("g", (member(line=curve(PLACES, [-70.0, -10.0])),))])
    assert chart is not None
    assert "logarithmic" not in draw(chart).wide
    assert np.isfinite(chart.heights).all()
