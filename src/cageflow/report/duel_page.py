"""The page of a duel: how far the mixtures could be exploited round by round, and who plays what in the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.report.content import Card, Cards, Chart, Page, Prose, Section, Table
from cageflow.report.drawing import draw
from cageflow.report.page import render
from cageflow.report.theme import light
from cageflow.report.wording import number, percent
from cageflow.studies.duel_table import DuelTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, FOLDER = "report.html", "report"


def write_duel_page(found: DuelTable) -> Path:
    """Write the page and its chart into the folder of a duel; gives the page.

    Raises:
        UserError: a file cannot be written.
    """
    path, folder = found.run_dir / PAGE, found.run_dir / FOLDER
    page = duel_page(found)
    drawings = [draw(chart) for chart in page.charts]
    try:
        write_whole(path, render(page, drawings).encode())
        folder.mkdir(exist_ok=True)
        for drawing in drawings:
            drawing.write_files(folder)
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be written: {error.strerror}") from error
    return path


def duel_page(found: DuelTable) -> Page:
    """What stands in it."""
    name = found.run_dir.resolve().name
    return Page(
        title=f"{name} \N{MIDDLE DOT} cageflow duel",
        heading=f"A duel of {len(found.rounds)} rounds: worth {number(found.last.value)} to blue",
        facts=("Duel", f"rules {found.rules}", f"network {found.network['name']}", f"begun with {found.policy}", name),
        notice="",
        sections=(_rounds(found), _mixtures(found)),
    )


def exploitability_chart(found: DuelTable) -> Chart:
    """What each side gained by learning, and both together, by round."""
    ends = ", ".join(f"{one.number}: {number(one.exploitability)}" for one in found.rounds)
    return Chart(
        name="duel",
        title="Exploitability by round",
        text=f"Exploitability of the mixtures by round. {ends}.",
        draw=lambda figure, narrow: _draw(figure, found),
        heights=(360, 330),
        note="What each side's new agent gains on the mixture that the other had, in points an episode; together "
        "they bound from below how far the mixtures are from an equilibrium. A side that gained nothing counts 0.",
        table=Table(
            "What each side gained by learning, by round",
            ("Round", "#Worth to blue", "#Red gains", "#Blue gains", "#Exploitability"),
            tuple(
                (
                    str(one.number),
                    *(number(value) for value in (one.before.value, one.red_gain, one.blue_gain, one.exploitability)),
                )
                for one in found.rounds
            ),
        ),
    )


def _rounds(found: DuelTable) -> Section:
    last = found.rounds[-1]
    cards = (
        Card("Exploitability in the last round", number(last.exploitability), "points an episode, both sides together"),
        Card("Worth to blue", number(found.last.value), "mean return, each side's best mixture"),
        Card("Safest defender", found.safest, f"{number(found.worst_of(found.safest))} against its worst attacker"),
    )
    words = (
        "In each round both sides are trained against the other's best mixture of what it has, and what they learn "
        "joins what they have. The mixtures are those of the equilibrium, by linear programs on the table below."
    )
    return Section("rounds", "Round by round", (Cards(cards), Prose((words,)), exploitability_chart(found)), "Duel")


def _mixtures(found: DuelTable) -> Section:
    rows = [
        (name, *map(number, means), percent(float(share), 0))
        for name, means, share in zip(found.blues, found.payoffs, found.last.rows, strict=True)
    ]
    rows.append(("share", *(percent(float(share), 0) for share in found.last.columns), ""))
    table = Table(
        "Mean returns of each defender against each attacker, and their shares in the mixtures",
        ("Defender", *(f"#{name}" for name in found.reds), "#Share"),
        tuple(rows),
    )
    files = [f"{name}: {path}" for name, path in found.files.items()]
    return Section(
        "mixtures", "Who plays what in the end", (table, Prose((f"Defenders: {'; '.join(files)}.",))), "Duel"
    )


def _draw(figure: Figure, found: DuelTable) -> None:
    axes = figure.subplots()
    numbers = [one.number for one in found.rounds]
    lines = (
        ("both", "ink", [one.exploitability for one in found.rounds]),
        ("red", "red", [one.red_gain for one in found.rounds]),
        ("blue", "blue", [one.blue_gain for one in found.rounds]),
    )
    for label, colour, values in lines:
        axes.plot(numbers, values, marker="o", color=light(colour), label=label)
    axes.axhline(0.0, color=light("line"), lw=1.0)
    axes.set(xlabel="round", ylabel="points an episode")
    axes.set_xticks(numbers)
    figure.legend(loc="outside lower center", ncols=3)
