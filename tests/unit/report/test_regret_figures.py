"""Tables and chart of a comparison of strategies."""

import csv

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from cageflow.measure.calibration import Calibration
from cageflow.measure.regret import Contender, Regrets
from cageflow.report.regret_chart import name_of, panels_of, read_panels, regret_chart, styles_of
from cageflow.report.regret_figures import (
    CALIBRATION_COLUMNS,
    REGRET_COLUMNS,
    calibration_figures,
    marked_trials,
    regret_figures,
    write_regret,
)
from cageflow.search import StrategySettings

PART = Calibration(
    quantity="reward",
    kernel="mallows",
    training_orders=20,
    held_out=100,
    splits=3,
    within_1=0.7,
    within_2=0.9,
    mean_within_1=0.6,
    mean_within_2=1.0,
    explained=0.25,
)


def a_comparison(label="gp-ucb mallows", trials=12):
    simple = np.tile(np.linspace(5, 0, trials), (3, 1)) + np.array([[0.0], [0.5], [1.0]])
    wasted = np.zeros((3, trials), dtype=bool)
    wasted[0, :6] = True
    contender = Contender(label, "gp-ucb", StrategySettings(kernel="mallows"))
    return Regrets(contender, simple.astype(np.float32), np.ones((3, trials), dtype=np.float32), wasted)


def test_marked_trials__are_those_that_there_are_and_the_last():
    assert marked_trials(60) == [10, 20, 40, 60]
    assert marked_trials(45) == [10, 20, 40, 45]
    assert marked_trials(5) == [5]


def test_regret_figures__are_means_with_their_bands():
    (figures,) = regret_figures([a_comparison()])
    assert list(figures["simple_regret"]) == ["10", "12"]
    error = 0.5 / np.sqrt(3)  # deviation of 0, 0.5 and 1
    assert figures["simple_regret"]["12"] == pytest.approx([0.5, 0.5 - 1.96 * error, 0.5 + 1.96 * error])
    assert figures["cumulative_regret"]["10"] == pytest.approx([10, 10, 10])
    # 5 k / 11 stays within 1, 0.5 and 0 for the last 3, 2 and 1 trials: after 10, 11 and 12.
    assert figures["trials_to_within_1"] == 11
    assert figures["share_within_1"] == 1.0
    assert figures["infeasible_share"] == pytest.approx(6 / 36)


def test_regret_figures__say_nothing_of_what_never_came():
    late = a_comparison()
    late = Regrets(late.contender, late.simple + 2, late.instantaneous, late.wasted)
    assert regret_figures([late])[0]["trials_to_within_1"] is None


def test_calibration_figures__give_each_share_with_its_error():
    (figures,) = calibration_figures([PART])
    assert figures["within_1"] == pytest.approx([0.7, np.sqrt(0.7 * 0.3 / 100)])
    assert figures["mean_within_2"] == [1.0, 0.0]


def test_write_regret__leaves_two_tables_and_a_picture(tmp_path):
    contenders = [a_comparison(f"number {i}") for i in range(8)]
    paths = write_regret(tmp_path / "new", contenders, [PART], "a landscape")
    assert [path.name for path in paths] == ["regret.csv", "calibration.csv", "regret.svg", "regret.png"]
    with paths[0].open() as file:
        rows = list(csv.DictReader(file))
    assert ",".join(rows[0]) == REGRET_COLUMNS
    assert len(rows) == 8 * 12
    last = rows[11]
    assert [last[name] for name in ("Contender", "Trial", "Simple_Mean", "Simple_Median", "Cumulative_Mean")] == [
        "number 0",
        "12",
        "0.5000",
        "0.5000",
        "12.0000",
    ]
    assert rows[0]["Infeasible_Share"] == "0.3333"
    with paths[1].open() as file:
        (part,) = csv.DictReader(file)
    assert ",".join(part) == CALIBRATION_COLUMNS
    assert (part["Within_1"], part["Within_1_SE"], part["Explained"]) == ("0.7000", "0.0458", "0.2500")
    drawing = paths[2].read_text()
    assert all(f"number {i}" in drawing for i in range(8))
    assert "cumulative regret" in drawing
    assert matplotlib.image.imread(paths[3]).std() > 0.05  # not a blank
    (drawn,), (read,) = panels_of("now", contenders[:1]).curves, read_panels("read", paths[0]).curves[:1]
    for kind in ("simple", "cumulative"):
        np.testing.assert_allclose(read.mean[kind], drawn.mean[kind], atol=1e-4)
        np.testing.assert_allclose(read.band[kind], drawn.band[kind], atol=2e-4)


def scaled(factor, title="a landscape"):
    one = a_comparison()
    return panels_of(title, [Regrets(one.contender, one.simple * factor, one.instantaneous * factor, one.wasted)])


def axes_of(*landscapes, narrow=False):
    figure = Figure()
    regret_chart(landscapes).draw(figure, narrow)
    return figure.axes


def test_landscapes__have_one_axis_where_their_curves_are_of_one_size_and_else_their_own():
    alike, apart = axes_of(scaled(1), scaled(3)), axes_of(scaled(1), scaled(30))
    assert [alike[i].get_ylim() for i in (0, 1)] == [alike[i].get_ylim() for i in (2, 3)]
    assert apart[2].get_ylim()[1] == pytest.approx(30 * apart[0].get_ylim()[1])
    titles = [one.get_title() for one in axes_of(scaled(1, "x"), scaled(2, "y"), narrow=True)]
    assert [title.splitlines()[0] for title in titles] == ["x", "x", "y", "y"]


def test_regret_below_zero__is_seen():
    (simple, _) = axes_of(scaled(-1))
    low, high = simple.get_ylim()
    assert low < -6.0 and high > 0.0, "plain PPO may be better than every order"


def test_names_of_the_legend__say_the_strategy_and_what_sets_it_apart():
    assert name_of("gp-ucb", "gp-ucb mallows") == "GP-UCB, mallows"
    assert name_of("plain-ppo", "plain-ppo") == "plain PPO"
    assert name_of("gp-ucb", "mine") == "mine"


def test_styles__are_alike_in_no_two_and_leave_the_colours_to_those_who_search():
    names = ["curves", "gp-ucb", "thompson", "asha", "random", "round-robin", "canonical", "one-order", "plain-ppo"]
    contenders = [Contender(name, name, StrategySettings()) for name in names]
    one = a_comparison()
    curves = panels_of("x", [Regrets(who, one.simple, one.instantaneous, one.wasted) for who in contenders])
    styles = styles_of([curves, curves])
    assert len(styles) == len(set(styles.values())) == len(names)
    assert len({colour for colour, _ in styles.values()}) >= len(names) - 1


def test_first_trials__do_not_crush_those_that_follow():
    first, later = np.full((3, 20), 60.0), np.full((3, 20), 1.0)
    first[:, 1:] = 1.0
    one = a_comparison(trials=20)
    for simple, scale in ((first, "symlog"), (later, "linear")):
        regrets = Regrets(one.contender, simple.astype(np.float32), one.instantaneous, one.wasted)
        assert [axes.get_yscale() for axes in axes_of(panels_of("x", [regrets]))] == [scale, "linear"]
