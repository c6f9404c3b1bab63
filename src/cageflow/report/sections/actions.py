"""The playbook's first page: what the policy does, how often, and on which host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cageflow.analysis.playbook import Playbook
from cageflow.analysis.tallies import KINDS
from cageflow.report.content import Block, Chart, Points, Section, Table
from cageflow.report.drawing import shaded_grid
from cageflow.report.material import Material
from cageflow.report.wording import listed, number, percent
from cageflow.scenario import BlueKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VERBS = tuple(kind.name.title() for kind in KINDS)
USED = 0.05
"""Times an episode from which a host is worth a word."""
MAX_HOSTS = 4


def host_actions(playbook: Playbook) -> npt.NDArray[np.int64]:
    """(H, VERBS) int64: how often each was done to each host; all kinds of decoys are one."""
    counts = np.zeros((len(playbook.hosts), len(VERBS)), np.int64)
    for kind, host, amount in zip(playbook.action_kinds, playbook.action_hosts, playbook.actions, strict=True):
        if host >= 0:
            counts[host, KINDS.index(BlueKind(kind))] += amount
    return counts


def section(material: Material) -> Section:
    """The section."""
    playbook = material.playbook
    counts = host_actions(playbook) / playbook.num_episodes
    waits = material.per_episode(sum(playbook.actions)) - counts.sum()
    chart = Chart(
        name="actions_by_host",
        title="What it does to each host",
        text="Times an episode that the policy analyses, removes, restores and places decoys, by host. The figures "
        "stand in the table below.",
        draw=lambda figure, narrow: _draw(figure, narrow, counts, playbook.hosts),
        heights=(34 * len(playbook.hosts) + 60, 31 * len(playbook.hosts) + 60),
        note=f"Times an episode of {material.max_steps} steps, mean of {playbook.num_episodes:,} fresh episodes; empty "
        "where it never did. The stronger the colour, the more often.",
        table=_table(counts, waits, playbook),
    )
    blocks: list[Block] = [Points(tuple(_sentences(counts, waits, material))), chart]
    blocks += [_opening(playbook), *([_decoys(playbook)] if playbook.decoys else [])]
    return Section("playbook", "What the policy does", tuple(blocks), "Playbook")


def _sentences(counts: npt.NDArray[np.float64], waits: float, material: Material) -> list[tuple[str, str]]:
    playbook, words = material.playbook, []
    rates = dict(zip(VERBS, counts.sum(axis=0).tolist(), strict=True))
    busy = material.per_episode(playbook.busy_steps)
    waiting = f", and is idle in {number(waits, 1)}" if waits >= USED else ""
    waiting += f" (all crews are busy in {number(busy, 1)})" if waiting and busy >= USED else ""
    words.append(
        (
            "In an episode",
            f"of {material.max_steps} steps it analyses {number(rates['Analyse'], 1)} times, removes "
            f"{number(rates['Remove'], 1)} times, restores {number(rates['Restore'], 1)} times, places "
            f"{number(rates['Decoy'], 1)} decoys{waiting}.",
        )
    )
    for verb, how in zip(VERBS, ("Analyses", "Removes", "Restores", "Places decoys on"), strict=True):
        column = counts[:, VERBS.index(verb)]
        hosts = [i for i in np.argsort(-column, kind="stable").tolist() if column[i] >= USED][:MAX_HOSTS]
        if hosts:
            parts = [f"{playbook.hosts[i]} ({number(column[i], 1)})" for i in hosts]
            words.append((how, f"{'mostly ' if (column >= USED).sum() > MAX_HOSTS else ''}{listed(parts)}."))
    never = [host for host, row in zip(playbook.hosts, counts, strict=True) if row.sum() < USED]
    if never:
        words.append(("Leaves alone", f"{listed(never)}."))
    return words


def _draw(figure: Figure, narrow: bool, counts: npt.NDArray[np.float64], hosts: Sequence[str]) -> None:
    axes = figure.subplots()
    strongest = float(counts.max()) or 1.0
    shades = [[None if cell == 0 else (cell / strongest) ** 0.5 for cell in row] for row in counts.tolist()]
    words = [["<0.1" if 0 < cell < 0.05 else number(cell, 1) for cell in row] for row in counts.tolist()]
    shaded_grid(axes, shades, words, list(hosts), list(VERBS), "blue", 11.0)


def _table(counts: npt.NDArray[np.float64], waits: float, playbook: Playbook) -> Table:
    rows = [(host, *(number(cell) for cell in row)) for host, row in zip(playbook.hosts, counts.tolist(), strict=True)]
    rows.append(("all hosts", *(number(cell) for cell in counts.sum(axis=0).tolist())))
    return Table(
        f"Times an episode, by host and kind of action; on no host: {number(waits)}",
        ("Host", *(f"#{verb}" for verb in VERBS)),
        tuple(rows),
        marked=frozenset({len(rows) - 1}),
        folded="The same as a table",
    )


def _opening(playbook: Playbook) -> Table:
    """What it does first: the likeliest action of each of the first steps, and the next."""
    rows = []
    for step, counts in enumerate(playbook.opening, start=1):
        ranked = np.argsort(-np.array(counts), kind="stable")[:2].tolist()
        cells = [
            f"{playbook.action_names[i]} ({percent(counts[i] / playbook.num_episodes, 0)})" for i in ranked if counts[i]
        ]
        rows.append((str(step), cells[0], cells[1] if len(cells) > 1 else ""))
    return Table(
        f"How it opens: its two likeliest actions in each of the first {len(rows)} steps, and the share of episodes",
        ("Step", "Likeliest", "Next"),
        tuple(rows),
    )


def _decoys(playbook: Playbook) -> Table:
    """Which decoys it uses where."""
    counts = np.zeros((len(playbook.hosts), len(playbook.decoys)))
    for host, decoy, amount in zip(playbook.action_hosts, playbook.action_decoys, playbook.actions, strict=True):
        if decoy >= 0:
            counts[host, decoy] = amount / playbook.num_episodes
    rows = [
        (host, *("" if cell == 0 else number(cell) for cell in row))
        for host, row in zip(playbook.hosts, counts.tolist(), strict=True)
        if any(row)
    ]
    return Table(
        "Decoys an episode, by host and kind",
        ("Host", *(f"#{decoy}" for decoy in playbook.decoys)),
        tuple(rows),
        folded="Which decoys where",
    )
