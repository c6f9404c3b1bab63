"""A run's report: from its folder to the page and the files of its charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.answer_words import heading
from cageflow.analysis.beside import finished_beside
from cageflow.analysis.differences_words import heading as differences_heading
from cageflow.analysis.playbook import STREAM, fitting_agent, returns_of, saved_playbook
from cageflow.analysis.standing import play_standing
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.files import check_output_file, write_whole
from cageflow.learn.fit import notes_on
from cageflow.report.content import Page, Section
from cageflow.report.drawing import draw
from cageflow.report.material import Material, Rival
from cageflow.report.page import render
from cageflow.report.red_report import RedReport, write_red_report
from cageflow.report.rivals import rival_names
from cageflow.report.sections import (
    actions,
    answer,
    costs,
    departures,
    endings,
    episodes,
    exploited,
    learning,
    orders,
    positions,
    precedences,
    prices,
    progress,
    reactions,
    repeat,
    rules,
    settings,
    standing,
    timing,
    tradeoff,
)
from cageflow.report.wording import count, listed, order_words, percent
from cageflow.runs.saved_run import SavedRun, read_run
from cageflow.scenario import is_cage2
from cageflow.scenario.durations import takes_time, words_on_time

PAGE, FOLDER = "report.html", "report"
MIN_EPISODES = 100
"""Of the playbook; fewer say nothing of how a policy plays."""

SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    answer.section,
    precedences.section,
    prices.section,
    standing.section,
    exploited.section,
    rules.section,
    actions.section,
    reactions.section,
    costs.section,
    episodes.section,
    departures.section,
    orders.section,
    positions.section,
    tradeoff.section,
    progress.section,
    learning.section,
    endings.section,
    timing.section,
    repeat.section,
    settings.section,
)
"""All sections, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Attributes:
        page: the HTML file.
        charts: the folder of the charts.
        material: what it was made from.
        played: whether the playbook's episodes were played anew.
    """

    page: Path
    charts: Path
    material: Material
    played: bool


def write_report(
    path: Path,
    *,
    out: Path | None = None,
    episodes: int = 1000,
    seed: int = 0,
    against: Sequence[Path] = (),
    say: Callable[[str], None] = lambda words: None,
) -> Report | RedReport:
    """Write the report of a run.

    Args:
        path: the run folder.
        out: the HTML file; None is `report.html` in the run folder.
        episodes: that the playbook is made of.
        seed: of these.
        against: folders of runs that the policy is compared with.
        say: is told what takes time.

    Raises:
        UserError: there is nothing to report, a policy is missing or does not fit, or a file cannot be written.
    """
    if episodes < MIN_EPISODES:
        raise UserError(f"--evaluation-episodes is {episodes}: a playbook needs at least {MIN_EPISODES}")
    page = out or path / PAGE
    run = read_run(path)
    if run.config.plays_red:
        if against:
            raise UserError(f"{path} is a training of red, which is compared with nothing: leave --against out")
        return write_red_report(run, page, path / FOLDER, episodes, seed, say)
    policy = run.policy()
    check_output_file(page, ".html")
    beside = [other for other in finished_beside(path) if other not in against]
    others = [_fitting_rival(run, other, say) for other in (*beside, *against)]
    say(f"Playing {episodes:,} episodes of {order_words(run.order)} against {run.game.red_agent}")
    folder = path / FOLDER
    try:
        playbook, played = saved_playbook(run, policy, episodes, seed)
        names = rival_names(run, [other for other, _ in others])
        rivals = tuple(
            _rival(run, other, name, agent, episodes, seed) for name, (other, agent) in zip(names, others, strict=True)
        )
        named = [(order_words(run.order) if run.order is not None else "Plain PPO", fitting_agent(policy, run.game))]
        named += [(name, agent) for name, (_, agent) in zip(names, others, strict=True)]
        standing = play_standing(named, run.game, episodes, seed, say)
        material = Material(run, playbook, rivals, standing)
        content = make_page(material)
        drawings = [draw(chart) for chart in content.charts]
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, render(content, drawings).encode())
        folder.mkdir(exist_ok=True)
        for drawing in drawings:
            drawing.write_files(folder)
    except OSError as error:
        raise UserError(f"{error.filename or page} cannot be written: {error.strerror}") from error
    return Report(page, folder, material, played)


def make_page(material: Material) -> Page:
    """The page of a material."""
    run = material.run
    found = [make(material) for make in SECTIONS]
    game = run.game
    facts = (
        run.config.title,
        f"against {game.red_agent}",
        f"rules {game.rules}",
        *([] if is_cage2(game.network.identity) else [f"network {game.network.scenario.name}"]),
        *([words_on_time(game.network.scenario)] if takes_time(game.network.scenario) else []),
        f"{game.max_steps} steps",
        f"seed {run.config.seed}",
        f"{count(run.episodes, 'training episode')}",
        run.path.resolve().name,
    )
    return Page(
        title=f"{run.path.resolve().name} \N{MIDDLE DOT} cageflow report",
        heading=_heading(material),
        facts=facts,
        notice=_notice(run),
        sections=tuple(section for section in found if section is not None),
    )


def _heading(material: Material) -> str:
    """The answer in one line."""
    run = material.run
    if run.order is None:
        return "Plain PPO, without a workflow"
    if run.tries_orders and not run.is_feasible:
        return f"No workflow has reached {percent(run.config.compliance_threshold, 0)} compliance yet"
    if material.answer is not None:
        return heading(material.answer)
    if material.differences is not None:
        return differences_heading(material.differences)
    first, *others = run.order
    in_turn = f"{first} first, then {listed(others)}"
    if run.config.trains_anew:  # the best of many trainings, which its order may owe to luck
        return f"The best policy fixes {in_turn}"
    if run.tries_orders:
        return f"One policy for {len(run.orders):,} orders, at its best where it fixes {in_turn}"
    return f"Trained to fix {in_turn}"  # as the user said


def _notice(run: SavedRun) -> str:
    """What is unfinished about a run."""
    if run.is_over:
        return ""
    state = "is still going" if run.is_going else "was stopped before its end"
    return (
        f"This run {state}: the page shows the {count(len(run.trials), 'trial')} that ended, and "
        f"{run.episodes:,} of {run.config.total_episodes:,} training episodes."
    )


def _fitting_rival(run: SavedRun, path: Path, say: Callable[[str], None]) -> tuple[SavedRun, PolicyAgent]:
    """Another run with its best policy as an agent of this run's game.

    Raises:
        UserError: it is no run with a policy, or the policy was not made for the game.
    """
    other = read_run(path)
    policy, options = other.policy(), run.game
    try:
        agent = fitting_agent(policy, options, "name a run on the same network and observation")
    except UserError as error:
        raise UserError(f"--against {path}: {error}") from error
    for note in notes_on(policy.card, options.blue_setting, f"--against {path}"):
        say(note)
    return other, agent


def _rival(run: SavedRun, other: SavedRun, name: str, agent: PolicyAgent, episodes: int, seed: int) -> Rival:
    """Another run's best policy on the same episodes."""
    returns = returns_of(agent, run.game, EpisodeStream(seed, STREAM).seeds(0, episodes))
    return Rival(run=other, name=name, returns=returns)
