"""Tables of made-up figures, and the files that have them."""

import math

import pytest

from cageflow.report.compare.figures import difference
from cageflow.report.compare.tables import (
    LATEX,
    differences_table,
    escape_latex,
    rewards_table,
    settings_table,
    to_latex,
    to_markdown,
    training_table,
)
from cageflow.report.content import Table
from tests.unit.report.compare.compare_runs import figures

OURS = figures("ours", [[-11.0, -9.0], [-21.0, -19.0], [-31.0, -29.0]], reached=[100, math.inf, 200], compliance=0.951)
ONE = figures("one", [[-30.0, -20.0, -10.0]], reached=[math.inf])


def test_rewards__stand_with_their_intervals_and_one_seed_is_marked() -> None:
    assert rewards_table([OURS, ONE]).rows == (
        ("ours", "3", "−20.00", "−44.84 to 4.84", "10.00", "95.1\N{NO-BREAK SPACE}%"),
        ("one", "1", "−20.00", "−44.84 to 4.84*", "–", "–"),
    )


def test_training__says_how_many_seeds_reached_a_threshold() -> None:
    table = training_table([OURS, ONE], 1000)
    assert table.columns[3:] == ("#reward of the last 1,000", "#episodes to −30")
    assert table.rows == (
        ("ours", "1,000", "10 s", "−21.00", "200 (2 of 3)"),
        ("one", "1,000", "10 s", "−21.00", "–"),
    )


def test_differences__have_both_intervals_and_a_small_p_is_said_to_be_small() -> None:
    far = figures("far", [[-911.0, -909.0], [-921.0, -919.0], [-931.0, -929.0]])
    ((group, mean, bootstrap, welch, _, superiority, p),) = differences_table([difference(far, OURS)]).rows
    assert (group, mean, welch, superiority, p) == ("far", "−900.00", "−922.67 to −877.33", "0.00", "<0.001")
    assert bootstrap.startswith("−9")
    ((_, _, bootstrap, welch, _, _, p),) = differences_table([difference(ONE, OURS)]).rows
    assert bootstrap.endswith("*")
    assert welch.endswith("*")
    assert p == "1.000"


def test_settings__are_listed_where_the_names_leave_some_out() -> None:
    assert settings_table(["a", "b"], [{"what": "x", "beta": 1.0}, {"what": "x", "beta": 2.0}]) is None
    table = settings_table(["a", "b"], [{"what": "x", "beta": 1.0}, {"what": "y", "beta": 2.0, "ppo.gamma": 0.9}])
    assert table is not None
    assert table.rows == (("trained", "x", "y"), ("beta", "1", "2"), ("gamma", "–", "0.9"))


TABLE = Table(
    caption="A_b & c", columns=("group", "#reward"), rows=(("ent>usr|x_1", "−1.50 to 50 %"), ("{~^\\}#$", "–"))
)


def test_markdown__aligns_numbers_and_keeps_bars_out_of_the_table() -> None:
    assert to_markdown(TABLE).splitlines() == [
        r"**A_b \& c**",
        "",
        "| group | reward |",
        "|---|---:|",
        "| ent>usr\\|x_1 | −1.50 to 50 % |",
        r"| {\~^\\}#\$ | – |",
    ]


def test_latex__is_a_booktabs_table_with_every_special_character_escaped() -> None:
    assert to_latex(TABLE, "tab:x", ["50 % of it"]).splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{A\_b \& c}",
        r"\label{tab:x}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"group & reward \\",
        r"\midrule",
        r"ent$>$usr$|$x\_1 & $-$1.50 to 50 \% \\",
        r"\{\textasciitilde{}\textasciicircum{}\textbackslash{}\}\#\$ & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\footnotesize 50 \% of it",
        r"\end{table}",
    ]


def test_latex__row_that_begins_with_a_bracket_or_a_star_is_no_argument_of_the_end_of_the_last() -> None:
    assert (escape_latex("[a]"), escape_latex("*")) == ("{[}a{]}", "{*}")


@pytest.mark.parametrize("character", "&%$#_{}~^\\")
def test_planted_loss_of_an_escape__is_caught(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    escaped = escape_latex(character)
    assert escaped.startswith("\\")
    monkeypatch.delitem(LATEX, character)
    assert escape_latex(character) != escaped
