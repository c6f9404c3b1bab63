"""Three episodes as timelines: a good, a median and a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cageflow.analysis.moves import ExampleEpisode, Move
from cageflow.envs.inspection import Access
from cageflow.envs.rendering import describe_success
from cageflow.report.content import Block, Chart, Prose, Section, Table
from cageflow.report.drawing import fitting
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.wording import number, percent
from cageflow.scenario import BlueKind, RedKind

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_STEPS = 120
"""Of a timeline; longer episodes are cut off."""
MARKS = {
    BlueKind.ANALYSE: ("o", "teal"),
    BlueKind.REMOVE: ("^", "blue"),
    BlueKind.RESTORE: ("s", "ink"),
    BlueKind.DECOY: ("D", "violet"),
}
"""Blue's moves: shape and colour."""
ASIDE = 0.2
"""Of the marks from the middle of their host's line."""
USER_ALPHA, PRIVILEGED_ALPHA = 0.16, 0.42


def section(material: Material) -> Section:
    """The section."""
    playbook = material.playbook
    blocks: list[Block] = [
        _spread(material),
        Prose(
            (
                "A line for each host, steps along it. The bars are red's sessions after the step, light at user "
                "level, strong with privileges. Of the marks the crosses are red's exploits, bold where they "
                "succeeded; the others are blue's moves, each where it was aimed"
                f"{', in the step that it was begun' if material.takes_time else ''}. Sleep and Monitor are left out.",
            )
        ),
    ]
    for example in playbook.examples:
        blocks.append(_timeline(example, playbook.hosts))
    return Section("episodes", "Playbook: three episodes", tuple(blocks))


def _spread(material: Material) -> Chart:
    """The distribution of the returns, and where the examples stand in it."""
    playbook = material.playbook
    low, middle, high = np.percentile(playbook.returns, [5, 50, 95])
    words = (
        f"Half of the episodes end above {number(middle, 1)}, nine tenths between {number(low, 1)} and "
        f"{number(high, 1)}"
    )
    worst = min(playbook.returns)
    return Chart(
        name="returns",
        title="How episodes end",
        text=f"Distribution of the returns of {playbook.num_episodes:,} episodes. {words}; the worst at "
        f"{number(worst, 1)}.",
        draw=lambda figure, narrow: _draw_spread(figure, playbook.returns, playbook.examples),
        heights=(230, 230),
        note=f"{words}; the worst ended at {number(worst, 1)}. The bar on the left holds what "
        "lies further left, the lines are the three examples.",
    )


def _draw_spread(figure: Figure, returns: Sequence[float], examples: Sequence[ExampleEpisode]) -> None:
    axes = figure.subplots()
    low = float(np.percentile(returns, 0.5))
    axes.hist(np.clip(returns, low, None), bins=48, color=light("blue"), alpha=0.55)
    top = axes.get_ylim()[1]
    for example in examples:
        axes.axvline(example.env_return, color=light("ink"), lw=1.2, ls=(0, (4, 3)))
        axes.annotate(
            example.role, (example.env_return, top), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=11
        )
    axes.set_xlabel("return")
    axes.set_ylabel("episodes")
    axes.grid(False, axis="x")
    axes.xaxis.set_major_formatter(lambda value, _: number(value, 0))
    axes.locator_params(axis="y", nbins=4, integer=True)


def _timeline(example: ExampleEpisode, hosts: Sequence[str]) -> Chart:
    moves = example.moves[:MAX_STEPS]
    cut = f", its first {MAX_STEPS} steps" if len(example.moves) > MAX_STEPS else ""
    follows = "" if example.compliance is None else f", compliance {percent(example.compliance, 0)}"
    better = percent(example.share, 0)
    longest = max(len(fitting(host)) for host in hosts)
    return Chart(
        name=f"episode_{example.role}",
        title=f"A {example.role} episode{cut}: {number(example.env_return, 1)}{follows}",
        text=f"Timeline of a {example.role} episode with return {number(example.env_return, 1)}: red's sessions and "
        "the moves of both, by host and step. All moves stand in the table below.",
        draw=lambda figure, narrow: _draw(figure, narrow, moves, hosts),
        heights=(29 * len(hosts) + 110, 8 * len(moves) + 170 + 16 * max(0, longest - 11)),  # the names stand upright
        note=f"{better} of the episodes ended no better. Seed {example.seed}.",
        table=Table(
            f"All moves of the {example.role} episode",
            ("Step", "Blue", "Red", "#Reward", "Red holds afterwards (* with privileges)"),
            tuple(
                (
                    str(move.number),
                    f"{move.blue}{describe_success(move.blue_success)}",
                    f"{move.red}{describe_success(move.red_success)}",
                    number(move.reward, 1),
                    _held(move, hosts),
                )
                for move in example.moves
            ),
            folded="All moves, step by step",
        ),
    )


def _held(move: Move, hosts: Sequence[str]) -> str:
    marks = {Access.USER: "", Access.PRIVILEGED: "*"}
    levels = [Access(int(digit)) for digit in move.access]
    return ", ".join(host + marks[level] for host, level in zip(hosts, levels, strict=True) if level)


def _draw(figure: Figure, narrow: bool, moves: Sequence[Move], hosts: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes = figure.subplots()
    _draw_sessions(axes, narrow, moves, len(hosts))
    handles: list[Artist] = [
        Patch(color=light("red"), alpha=USER_ALPHA, label="red, user level"),
        Patch(color=light("red"), alpha=PRIVILEGED_ALPHA, label="red, privileged"),
    ]
    for words, style, places in _marks(moves):
        if places:
            steps, rows = (list(column) for column in zip(*places, strict=True))
            axes.plot(*((rows, steps) if narrow else (steps, rows)), ms=4.2 if narrow else 5.0, zorder=3, **style)
        handles.append(Line2D([], [], ms=6, label=words, **style))
    _frame(axes, narrow, len(moves), hosts)
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if narrow else 4, handlelength=1.4)


def _marks(moves: Sequence[Move]) -> list[tuple[str, dict[str, Any], list[tuple[int, float]]]]:
    """What is marked: in words, how it looks, and (step, row). Red's marks stand below those of blue on a host."""
    found: list[tuple[str, dict[str, Any], list[tuple[int, float]]]] = []
    for success, weight, words in ((False, 0.9, "exploit that failed"), (True, 2.0, "exploit")):
        exploits = [
            (move.number, move.red_host + ASIDE)
            for move in moves
            if move.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE and (move.red_success is True) == success
        ]
        found.append((words, {"ls": "none", "marker": "x", "mew": weight, "color": light("red")}, exploits))
    for kind, (shape, colour) in MARKS.items():
        own = [(move.number, move.blue_host - ASIDE) for move in moves if move.blue_kind == kind]
        found.append((kind.name.title(), {"ls": "none", "marker": shape, "mew": 0.0, "color": light(colour)}, own))
    return found


def _draw_sessions(axes: Axes, narrow: bool, moves: Sequence[Move], num_hosts: int) -> None:
    """A bar for each stretch of steps on which red's access to a host is the same."""
    for host in range(num_hosts):
        levels = [int(move.access[host]) for move in moves]
        start = 0
        for i in range(1, len(levels) + 1):
            if i < len(levels) and levels[i] == levels[start]:
                continue
            if levels[start] != Access.NONE:
                alpha = USER_ALPHA if levels[start] == Access.USER else PRIVILEGED_ALPHA
                first, length = moves[start].number - 0.5, i - start
                if narrow:
                    axes.bar(host, length, 0.86, bottom=first, color=light("red"), alpha=alpha)
                else:
                    axes.barh(host, length, 0.86, left=first, color=light("red"), alpha=alpha)
            start = i


def _frame(axes: Axes, narrow: bool, num_steps: int, hosts: Sequence[str]) -> None:
    hosts = list(map(fitting, hosts))
    ends, rows = (0.0, num_steps + 1.0), (len(hosts) - 0.5, -0.5)
    if narrow:
        axes.set_xlim(rows[1], rows[0])
        axes.set_ylim(ends[1], ends[0])
        axes.set_xticks(range(len(hosts)), hosts, rotation=90, fontsize=9.5)
        axes.xaxis.tick_top()
        axes.set_ylabel("step")
    else:
        axes.set_xlim(*ends)
        axes.set_ylim(*rows)
        axes.set_yticks(range(len(hosts)), hosts)
        axes.set_xlabel("step")
    axes.tick_params(length=0, labelcolor=light("ink"))
    for spine in axes.spines.values():
        spine.set_visible(False)
