"""The tables of a comparison, and how a terminal, a Markdown file and a LaTeX file have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cageflow.evaluation.statistics import Interval
from cageflow.markdown import plain
from cageflow.report.compare.figures import SEEDS, Difference, GroupFigures
from cageflow.report.compare.groups import differing, setting_value
from cageflow.report.compare.members import WHAT
from cageflow.report.content import Table
from cageflow.report.wording import DASH, MINUS, number, percent, signed

LATEX: dict[str, str | int | None] = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",  # in the fonts that LaTeX begins with, these two are other signs
    ">": "$>$",
    "|": "$|$",
    **{character: f"{{{character}}}" for character in "[]*"},  # after the end of a row, these are its arguments
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{NO-BREAK SPACE}": "~",
    MINUS: "$-$",
    DASH: "--",
}
LEAST_P = 0.001


def rewards_table(figures: Sequence[GroupFigures]) -> Table:
    """What the policies of the groups of one game are worth."""
    return Table(
        caption=f"Reward an episode, {figures[0].group.game}",
        columns=("group", "#seeds", "#reward", "#95 % interval", "#SD over seeds", "#compliance"),
        rows=tuple(
            (
                one.label,
                str(len(one.members)),
                number(one.reward.mean),
                _range(one.reward.interval()) + ("" if one.unit == SEEDS else "*"),
                number(one.seed_sd),
                DASH if one.compliance is None else percent(one.compliance),
            )
            for one in figures
        ),
    )


def training_table(figures: Sequence[GroupFigures], window: int) -> Table:
    """How the groups of one game were trained; a dash for the episodes to a reward that half the seeds never reach."""
    thresholds = figures[0].thresholds
    return Table(
        caption=f"Training, {figures[0].group.game}",
        columns=(
            "group",
            "#episodes",
            "#time",
            f"#reward of the last {window:,}",
            *(f"#episodes to {_short(one)}" for one in thresholds),
        ),
        rows=tuple(
            (
                one.label,
                number(one.episodes, 0),
                f"{number(one.seconds, 0)} s",
                number(one.tail),
                *(_reached(one, i) for i in range(len(thresholds))),
            )
            for one in figures
        ),
    )


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
            "#P(better)",
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
    """The settings that differ between groups; None where no name leaves one out, since one at most differs."""
    names = differing(settings)
    if len(names) < 2:
        return None
    rows = [
        (
            "trained" if name == WHAT else name.removeprefix("ppo.").replace("_", " "),
            *(setting_value(name, one[name]) if name in one else DASH for one in settings),
        )
        for name in names
    ]
    return Table(caption="Settings that differ", columns=("setting", *labels), rows=tuple(rows))


def to_markdown(table: Table) -> str:
    """A heading and the table."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(map(plain, cells)) + " |"

    heads = [column.removeprefix("#") for column in table.columns]
    rule = "|" + "|".join("---:" if column.startswith("#") else "---" for column in table.columns) + "|"
    return "\n".join([f"**{plain(table.caption)}**", "", line(heads), rule, *map(line, table.rows)]) + "\n"


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
    return number(episodes, 0) + share


def _short(value: float) -> str:
    return number(value, 0 if value == round(value) else 2)


def _p_words(p_value: float) -> str:
    return f"<{LEAST_P}" if p_value < LEAST_P else number(p_value, 3)
