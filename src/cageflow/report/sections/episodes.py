"""How episodes end, and three of them to watch: a good, a median and a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cageflow.analysis.playbook import ExampleEpisode
from cageflow.analysis.replay import Replay, ReplayStep
from cageflow.envs.inspection import Access
from cageflow.envs.rendering import describe_success
from cageflow.report.content import Chart, Section, Table, Watch
from cageflow.report.material import Material
from cageflow.report.theme import light
from cageflow.report.watch.data import watch_data
from cageflow.report.wording import count, listed, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def section(material: Material) -> Section:
    """The section."""
    playbook = material.playbook
    network = material.run.config.game().unchecked_network
    replays = [_titled(example) for example in playbook.examples]
    watch = Watch(
        watch_data(network, replays, material.run.order, green=material.run.config.green, alone=False),
        tuple(_moves(example, playbook.hosts) for example in playbook.examples),
    )
    return Section("episodes", "Three episodes", (_spread(material), watch), "Playbook")


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
    ranked = sorted(examples, key=lambda example: example.replay.env_return)
    for i, example in enumerate(ranked):
        axes.axvline(example.replay.env_return, color=light("ink"), lw=1.2, ls=(0, (4, 3)))
        is_first, is_last = i == 0, i == len(ranked) - 1  # the outer names stand outside, and none over another
        side = is_last - is_first
        axes.annotate(
            example.role,
            (example.replay.env_return, top),
            xytext=(3 * side, 3 if is_first or is_last else 17),
            textcoords="offset points",
            ha=("right", "center", "left")[1 + side],
            fontsize=11,
        )
    axes.set_xlabel("return")
    axes.set_ylabel("episodes")
    axes.grid(False, axis="x")
    axes.xaxis.set_major_formatter(lambda value, _: number(value, 0))
    axes.locator_params(axis="y", nbins=4, integer=True)


def _titled(example: ExampleEpisode) -> Replay:
    """The episode under a name that says how good it is."""
    return replace(example.replay, title=f"{example.role}: {percent(example.share, 0)} ended no better")


def _moves(example: ExampleEpisode, hosts: Sequence[str]) -> Table:
    return Table(
        f"All moves of the {example.role} episode, seed {example.replay.seed}",
        ("Step", "Blue", "Red", "#Reward", "Red holds afterwards (* with privileges)"),
        tuple(
            (str(step.number), _blue(step), _red(step, hosts), number(step.reward, 1), _held(step, hosts))
            for step in example.replay.steps
        ),
        folded=f"All moves of the {example.role} episode as text",
    )


def _blue(step: ReplayStep) -> str:
    """What blue chose, what came of what ended, and what goes on."""
    chosen = f"{step.blue}{' (in vain, all crews are busy)' if step.in_vain else describe_success(step.blue_success)}"
    parts = [chosen]
    for name, _, came in step.ended:
        parts.append(came if name == step.blue and len(step.ended) == 1 else f"{name}: {came}")
    parts += [f"{name} goes on for {count(left, 'step')}" for name, _, left, _ in step.under_way]
    return "; ".join(parts)


def _red(step: ReplayStep, hosts: Sequence[str]) -> str:
    """What red did, from where, and why it went so."""
    parts = [f"{step.red}{describe_success(step.red_success)}"]
    if step.red_from not in (-1, step.red_host):
        parts.append(f"from {hosts[step.red_from]}")
    if step.red_through:
        parts.append(f"let in by {listed([hosts[host] for host in step.red_through])}")
    return "; ".join([*parts, step.red_why] if step.red_why else parts)


def _held(step: ReplayStep, hosts: Sequence[str]) -> str:
    marks = {Access.USER: "", Access.PRIVILEGED: "*"}
    levels = [Access(int(digit)) for digit in step.after.access]
    return ", ".join(host + marks[level] for host, level in zip(hosts, levels, strict=True) if level)
