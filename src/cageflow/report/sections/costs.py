"""Where the points are lost: every tenth of the mean reward, by host and cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cageflow.report.content import Chart, Section, Table
from cageflow.report.drawing import fitting
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import listed, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAUSES = {"red holds it with privileges": "red", "the service is stopped": "violet", "blue restores it": "blue"}


class Loss(NamedTuple):
    """Points that one host costs an episode.

    Attributes:
        host: its name.
        parts: by CAUSES, none of them negative.
    """

    host: str
    parts: tuple[float, ...]

    @property
    def total(self) -> float:
        """Of all causes."""
        return sum(self.parts)


def losses(material: Material) -> list[Loss]:
    """What each host costs an episode."""
    playbook = material.playbook
    return [
        Loss(
            host,
            tuple(
                material.per_episode(tenths) / 10.0
                for tenths in (
                    playbook.lost_tenths[i],
                    playbook.lost_service_tenths[i],
                    playbook.lost_restore_tenths[i],
                )
            ),
        )
        for i, host in enumerate(playbook.hosts)
    ]


def section(material: Material) -> Section:
    """The section."""
    rows = losses(material)
    total = sum(row.total for row in rows)
    worst = sorted(rows, key=lambda row: -row.total)[:3]
    shares = [f"{row.host} ({percent(row.total / total, 0)})" for row in worst if row.total > 0.0]
    chart = Chart(
        name="costs",
        title="Points lost by host and cause",
        text=f"Points lost an episode by host and cause, {number(total)} in all. "
        + (f"Most at {listed(shares)}." if shares else ""),
        draw=lambda figure, narrow: _draw(figure, narrow, rows),
        heights=(28 * len(rows) + 90, 27 * len(rows) + 130),
        note=f"The mean reward of {number(-total)} an episode, split up without remainder: each step that red ends "
        "with privileges on a host, each step that a service is down, each Restore."
        + (f" Most of it at {listed(shares)}." if shares else ""),
        table=Table(
            "Points an episode by host and cause",
            ("Host", *(f"#{cause}" for cause in CAUSES), "#Together"),
            tuple((row.host, *(number(-part) for part in row.parts), number(-row.total)) for row in rows),
            folded="The same as a table",
        ),
    )
    return Section("costs", "Where points are lost", (chart,), "Playbook")


def _draw(figure: Figure, narrow: bool, rows: list[Loss]) -> None:
    axes = figure.subplots()
    ends = [0.0] * len(rows)
    for number_of_cause, (cause, colour) in enumerate(CAUSES.items()):
        widths = [row.parts[number_of_cause] for row in rows]
        if any(widths):
            axes.barh(range(len(rows)), widths, left=ends, height=0.68, color=light(colour), label=cause)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    for i, end in enumerate(ends):
        if end >= 0.05:
            axes.annotate(
                number(-end, 1), (end, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=10
            )
    axes.set_yticks(range(len(rows)), [fitting(row.host) for row in rows])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=light("ink"))
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.1)
    axes.xaxis.set_major_formatter(lambda value, _: number(-value, 0) if value else "0")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("points an episode")
    if any(ends):
        figure.legend(loc="outside lower center", ncols=1 if narrow else 3, handlelength=1.2)
