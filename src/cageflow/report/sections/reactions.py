"""How soon the policy reacts to an intrusion, and what it does when an alarm is raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cageflow.analysis.intrusions import STILL_OPEN
from cageflow.analysis.playbook import Playbook
from cageflow.analysis.tallies import CREWS_BUSY, RESPONSES
from cageflow.report.content import Chart, Points, Section, Table
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import count, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_STEPS = 10
"""Steps that have a bar of their own; later ones share one."""

Histogram = Sequence[Sequence[int]]
"""(steps, intrusions) by steps, STILL_OPEN for those that never met it."""


def merged(histograms: Sequence[Histogram]) -> dict[int, int]:
    """The sum of several hosts' histograms."""
    sums: dict[int, int] = {}
    for histogram in histograms:
        for steps, amount in histogram:
            sums[steps] = sums.get(steps, 0) + amount
    return dict(sorted(sums.items()))


def share_within(histogram: dict[int, int], steps: int) -> float:
    """Share of all intrusions that met it within so many steps."""
    total = sum(histogram.values())
    met = sum(amount for place, amount in histogram.items() if place != STILL_OPEN and place <= steps)
    return met / total if total else float("nan")


def median_steps(histogram: dict[int, int]) -> float:
    """Median over all intrusions; infinite where half of them never met it."""
    total, seen = sum(histogram.values()), 0
    for steps, amount in sorted(histogram.items()):
        if steps != STILL_OPEN:
            seen += amount
            if 2 * seen >= total:
                return float(steps)
    return float("inf") if total else float("nan")


def section(material: Material) -> Section:
    """The section."""
    playbook = material.playbook
    first, eviction = merged(playbook.first_fix), merged(playbook.eviction)
    total = sum(playbook.intrusions)
    chart = Chart(
        name="reaction_times",
        title="From the intrusion to the fix",
        text="Distribution of the steps from red's first session on a host to blue's first fix of that host and to the "
        f"end of the intrusion, over {count(total, 'intrusion')}. Within 3 steps: "
        f"{percent(share_within(first, 3), 0)} fixed, {percent(share_within(eviction, 3), 0)} ended.",
        draw=lambda figure, narrow: _draw(figure, narrow, first, eviction),
        heights=(340, 340),
        note="An intrusion begins when red gains a session on a host where it had none, and ends when blue has taken "
        "its last session there. Red's first host is left out: red cannot be evicted from it. A Remove leaves "
        "sessions that are privileged or were never seen, so a fix need not be the end."
        + (" A fix counts when it is begun." if material.takes_time else ""),
    )
    return Section(
        "reactions",
        "How it reacts",
        (Points(tuple(_sentences(material, first, eviction))), chart, _by_host(material), _responses(playbook)),
        "Playbook",
    )


def _sentences(material: Material, first: dict[int, int], eviction: dict[int, int]) -> list[tuple[str, str]]:
    total = sum(first.values())
    if not total:
        return [("No intrusion", "in any of these episodes.")]
    words = [
        (
            "Intrusions",
            f"{number(material.per_episode(total), 1)} an episode. {_median('The first fix', first)}; "
            f"{percent(share_within(first, 3), 0)} are met within 3 steps.",
        ),
        (
            "Evicted",
            f"{percent(1.0 - eviction.get(STILL_OPEN, 0) / total, 0)} before the episode ends. "
            f"{_median('The end', eviction)}; {percent(first.get(STILL_OPEN, 0) / total, 0)} are never fixed at all.",
        ),
    ]
    playbook = material.playbook
    open_at_end = [merged([histogram]).get(STILL_OPEN, 0) for histogram in playbook.eviction]
    worst = int(np.argmax(open_at_end))
    if open_at_end[worst]:
        words.append(
            (
                "Tolerated",
                f"most often on {playbook.hosts[worst]}: {count(open_at_end[worst], 'intrusion')} there in "
                f"{playbook.num_episodes:,} episodes stood to the end.",
            )
        )
    return words


def _median(what: str, histogram: dict[int, int]) -> str:
    steps = median_steps(histogram)
    if steps == float("inf"):
        return f"{what} does not come in half of the cases"
    return f"{what} comes after {count(int(steps), 'step')} in the median"


def _draw(figure: Figure, narrow: bool, first: dict[int, int], eviction: dict[int, int]) -> None:
    axes = figure.subplots()
    labels = [*map(str, range(1, SHOWN_STEPS + 1)), f">{SHOWN_STEPS}", "never"]
    for histogram, colour, offset, words in (
        (first, "blue", -0.2, "first fix"),
        (eviction, "amber", 0.2, "end of the intrusion"),
    ):
        total = sum(histogram.values()) or 1
        shares = [histogram.get(steps, 0) / total for steps in range(1, SHOWN_STEPS + 1)]
        shares += [sum(size for steps, size in histogram.items() if steps > SHOWN_STEPS) / total]
        shares += [histogram.get(STILL_OPEN, 0) / total]
        places = [i + offset for i in range(len(shares))]
        axes.bar(places, shares, width=0.38, color=light(colour), label=words)
    axes.set_xticks(range(len(labels)), labels, fontsize=9 if narrow else 11)
    axes.grid(False, axis="x")
    axes.yaxis.set_major_formatter(lambda value, _: percent(value, 0))
    axes.set_xlabel("steps after red's first session")
    axes.set_ylabel("share of intrusions")
    figure.legend(loc="outside lower center", ncols=2, handlelength=1.2)


def _by_host(material: Material) -> Table:
    playbook = material.playbook
    rows = []
    for i, host in enumerate(playbook.hosts):
        first, eviction = merged([playbook.first_fix[i]]), merged([playbook.eviction[i]])
        if not playbook.intrusions[i]:
            continue
        fixes = np.array(playbook.fixes)[:, :, i].sum(axis=0)
        rows.append(
            (
                host,
                number(material.per_episode(playbook.intrusions[i])),
                number(material.per_episode(playbook.held_steps[0][i] + playbook.held_steps[1][i]), 1),
                number(material.per_episode(playbook.held_steps[1][i]), 1),
                _short_steps(median_steps(first)),
                percent(share_within(first, 3), 0),
                percent(1.0 - eviction.get(STILL_OPEN, 0) / playbook.intrusions[i], 0),
                percent(fixes[0] / fixes.sum(), 0) if fixes.sum() else "",
            )
        )
    return Table(
        "Intrusions by host: the first three figures are for an episode, the last is the share of the fixes there that "
        "found no session of red's",
        (
            "Host",
            "#Intrusions",
            "#Steps held",
            "#Privileged",
            "#Median to first fix",
            "#Within 3",
            "#Evicted",
            "#Fixes in vain",
        ),
        tuple(rows),
    )


def _short_steps(steps: float) -> str:
    return "never" if steps == float("inf") else str(int(steps))


def _responses(playbook: Playbook) -> Table:
    rows = []
    shown = [i for i, name in enumerate(RESPONSES) if name != CREWS_BUSY or playbook.busy_steps]
    for host, counts in zip(playbook.hosts, playbook.responses, strict=True):
        total = sum(counts)
        if total:
            shares = [percent(counts[i] / total, 0) for i in shown]
            rows.append((host, f"{total / playbook.num_episodes:,.2f}", *shares))
    return Table(
        "What it does in the step after its table shows an exploit on a host",
        ("Alarm on", "#Alarms an episode", *(f"#{RESPONSES[i]}" for i in shown)),
        tuple(rows),
    )
