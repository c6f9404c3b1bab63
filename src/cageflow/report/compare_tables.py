"""The tables of a comparison, and how a terminal, a Markdown file and a LaTeX file have them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cageflow.evaluation.statistics import Interval
from cageflow.report.compare_figures import SEEDS, Difference, GroupFigures
from cageflow.report.compare_groups import differing, setting_words
from cageflow.report.compare_members import WHAT
from cageflow.report.content import Table
from cageflow.report.wording import DASH, MINUS, number, percent, signed

LATEX = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",  # in the fonts that LaTeX begins with, these two are other signs
    ">": "$>$",
    "|": "$|$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{NO-BREAK SPACE}": "~",
    MINUS: "$-$",
    DASH: "--",
}
LEAST_P = 0.001


def figures_table(figures: Sequence[GroupFigures], window: int) -> Table:
    """What the groups of one game came to."""
    thresholds = figures[0].thresholds
    return Table(
        caption=f"Reward an episode, {figures[0].group.game}",
        columns=(
            "group", "#seeds", "#reward", "#95 % interval", "#SD over seeds", f"#last {window:,} trained",
            "#compliance", "#episodes", "#training", *(f"#episodes to {number(one, 1)}" for one in thresholds),
        ),  # fmt: skip
        rows=tuple(
            (
                one.label,
                str(len(one.members)),
                number(one.reward.mean),
                _range(one.reward.interval()) + ("" if one.unit == SEEDS else "*"),
                number(one.seed_sd),
                number(one.tail),
                DASH if one.compliance is None else percent(one.compliance),
                number(one.episodes, 0),
                f"{number(one.seconds, 0)} s",
                *(_reached(one, i) for i in range(len(thresholds))),
            )
            for one in figures
        ),
    )  # fmt: skip


def differences_table(found: Sequence[Difference]) -> Table:
    """How far groups are from one reference."""
    return Table(
        caption=f"Difference of the reward to {found[0].reference}",
        columns=(
            "group",
            "#difference",
            "#95 % bootstrap",
            "#95 % Welch",
            "#Hedges g",
            "#superiority",
            "#p",
        ),  # fmt: skip
        rows=tuple(
            (
                one.group,
                signed(one.welch.mean),
                _range(one.bootstrap, sign=True) + ("" if one.unit == SEEDS else "*"),
                _range(one.welch.interval(), sign=True) + ("" if one.unit == SEEDS else "*"),
                signed(one.hedges_g),
                number(one.superiority),
                _p_words(one.welch.p_value()),
            )
            for one in found
        ),
    )


def settings_table(labels: Sequence[str], settings: Sequence[Mapping[str, Any]]) -> Table | None:
    """The settings that differ between groups, beside what was trained; None where no other does."""
    names = [name for name in differing(settings) if name != WHAT]
    if not names:
        return None
    rows = []
    for name in names:
        words = [setting_words(name, one[name]) if name in one else DASH for one in settings]
        rows.append((name.removeprefix("ppo.").replace("_", " "), *words))
    return Table(caption="Settings that differ", columns=("setting", *labels), rows=tuple(rows))


def to_markdown(table: Table) -> str:
    """A heading and the table."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"

    heads = [column.removeprefix("#") for column in table.columns]
    rule = "|" + "|".join("---:" if column.startswith("#") else "---" for column in table.columns) + "|"
    return "\n".join([f"**{table.caption}**", "", line(heads), rule, *map(line, table.rows)]) + "\n"


def to_latex(table: Table, label: str, notes: Sequence[str] = ()) -> str:
    """A floating table with the rules of the package booktabs.

    Args:
        table: the table.
        label: to refer to it by.
        notes: to stand under it.
    """
    kinds = "".join("r" if column.startswith("#") else "l" for column in table.columns)
    heads = [column.removeprefix("#") for column in table.columns]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        *(" & ".join(map(escape_latex, row)) + r" \\" for row in [heads]),
        r"\midrule",
        *(" & ".join(map(escape_latex, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escape_latex(note)}" for note in notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Text as LaTeX sets it."""
    return text.translate(str.maketrans(LATEX))


def _range(interval: Interval, sign: bool = False) -> str:
    word = signed if sign else number
    return f"{word(interval.low)} to {word(interval.high)}"


def _reached(figures: GroupFigures, threshold: int) -> str:
    episodes, reached = figures.reached(threshold)
    share = "" if len(figures.members) == 1 else f" ({reached} of {len(figures.members)})"
    return ("never" if math.isinf(episodes) else number(episodes, 0)) + share


def _p_words(p_value: float) -> str:
    return f"<{LEAST_P}" if p_value < LEAST_P else number(p_value, 3)
