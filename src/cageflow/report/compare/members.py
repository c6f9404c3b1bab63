"""What is compared: a run, or a line of a table of baselines, as one member with its seed, settings and curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.agents.sources import AgentSource, BaselineSource, SourceOptions, find_agent
from cageflow.analysis.answer import Answer
from cageflow.analysis.beside import find_answer
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.report.results import best_so_far
from cageflow.report.wording import short_order
from cageflow.runs.logs import LoggedUpdate
from cageflow.runs.runs import WHERE
from cageflow.runs.saved_run import SavedRun, read_run
from cageflow.scenario import is_cage2
from cageflow.scenario.durations import format_durations
from cageflow.scenario.identity import SHORT
from cageflow.scenario.schema import Durations
from cageflow.settings.commands import SearchConfig
from cageflow.settings.config import RunConfig
from cageflow.studies.baseline_table import BaselineRow, read_baselines
from cageflow.studies.baselines import CONFIG as BASELINES_CONFIG
from cageflow.studies.baselines import ROWS, read_settings

WHAT = "what"
"""The setting that says what was trained: plain PPO, a workflow, a search, a baseline."""
MACHINE = frozenset({"seed", *WHERE, "num_threads", "device", "compare_plain", "compare_one_order"})
"""Settings of a run that two runs of one group may differ in."""
OF_WORKFLOWS = frozenset(
    {
        "workflow_mode",
        "alignment_lambda",
        "compliance_threshold",
        "compliance_definition",
        "max_episodes_per_workflow",
        "min_episodes_per_trial",
        "patience_updates",
        "min_improvement",
    }
)
OF_COLLECTORS = frozenset({"n_workers", "max_staleness"})


class Game(NamedTuple):
    """What makes rewards comparable; two members whose games differ are not."""

    red_agent: str
    rules: str
    max_steps: int
    green: bool
    network: str
    durations: str = ""

    def __str__(self) -> str:
        parts = [self.red_agent, f"rules {self.rules}", f"{self.max_steps} steps"]
        parts += ["green awake"] if self.green else []
        parts += [self.network] if self.network else []
        return ", ".join([*parts, *([f"durations {self.durations}"] if self.durations else [])])


class Curve(NamedTuple):
    """Rewards as the training went on.

    Attributes:
        episodes: (N,) float64, trained so far, rising; empty for what was not trained or kept no log.
        rewards: (N,) float64: means of the updates, or the best so far of a search.
        is_best: whether it is the latter.
    """

    episodes: npt.NDArray[np.float64]
    rewards: npt.NDArray[np.float64]
    is_best: bool = False

    def at(self, episodes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The curve at other places within its own; a search's best so far holds until the next trial ends."""
        if self.is_best:
            return self.rewards[np.searchsorted(self.episodes, episodes, side="right") - 1]
        return np.interp(episodes, self.episodes, self.rewards)

    def tail_mean(self, window: int) -> float:
        """Mean reward of the last `window` episodes, of all where there are fewer; NaN for a best so far."""
        return math.nan if self.is_best or not len(self.episodes) else _window_mean(self, len(self.episodes), window)

    def first_at(self, threshold: float, window: int) -> float:
        """Episodes after which the mean of the last `window` first reached a threshold; infinite if it never did.

        A best so far reaches it without a mean, since it is one of fresh episodes already.
        """
        for end in range(1, len(self.episodes) + 1):
            if self.is_best:
                value = float(self.rewards[end - 1])
            elif self.episodes[end - 1] >= window:
                value = _window_mean(self, end, window)
            else:
                continue
            if value >= threshold:
                return float(self.episodes[end - 1])
        return math.inf


NO_CURVE = Curve(np.empty(0), np.empty(0))


@dataclass(frozen=True, kw_only=True)
class Member:
    """One training, or one seed of a baseline.

    Attributes:
        path: its folder.
        seed: of the training.
        settings: all that decides what it comes to but the seed, by name; `WHAT` first.
        options: the game that it was trained for.
        game: the same as far as rewards hang on it.
        source: its agent.
        curve: of its rewards.
        episodes: trained.
        seconds: that the training took, collection and updates.
        notes: what a reader has to know of it.
        answer: what it has found, of a search.
    """

    path: Path
    seed: int
    settings: Mapping[str, Any]
    options: GameOptions
    game: Game
    source: AgentSource
    curve: Curve = NO_CURVE
    episodes: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    answer: Answer | None = None


def read_members(path: Path) -> list[Member]:
    """What a folder holds: one run, or every line of a table of baselines.

    Raises:
        UserError: it is neither, or holds nothing that has ended.
    """
    if (path / BASELINES_CONFIG).is_file():
        return _read_baselines(path)
    return [_read_run(path)]


def _read_run(path: Path) -> Member:
    run = read_run(path)
    if run.config.plays_red:
        raise UserError(f"{path} is a training of red, and what is compared are defenders: leave it out")
    policy = run.policy()
    source = find_agent(str(run.policy_path), SourceOptions(order=run.order if run.config.follows_any else None))
    options = run.game
    notes = [*source.notes(options.blue_setting)]
    if not run.is_over:
        notes.append(f"{path} has not ended: its figures are those so far.")
    if run.tries_orders and not run.is_feasible:
        notes.append(f"No order of {path} reached the compliance threshold: its most compliant one stands for it.")
    return Member(
        path=path,
        seed=run.config.seed,
        settings=_settings_of_run(run.config),
        options=options,
        game=_game(options),
        source=source,
        curve=_curve_of_run(run),
        episodes=run.episodes or policy.card.training_episodes,
        seconds=sum(update.collection_s + update.update_s for update in run.updates),
        notes=tuple(notes),
        answer=_answer(run),
    )


def _answer(run: SavedRun) -> Answer | None:
    try:
        return find_answer(run) if isinstance(run.config, SearchConfig) else None
    except OSError as error:
        raise UserError(f"{error.filename or run.path} cannot be written: {error.strerror}") from error


def _settings_of_run(config: RunConfig) -> dict[str, Any]:
    values = config.to_json()
    left_out = set(MACHINE | {"command", "workflow", "ppo", "scenario"})
    if not config.has_trials:
        left_out.add("evaluation_episodes")
    if not config.tells_order:
        left_out |= OF_WORKFLOWS
    if config.collector == "vector":
        left_out |= OF_COLLECTORS
    what = config.title.lower()
    if not config.tries_orders:
        what = f"workflow {short_order(config.order())}" if config.tells_order else "plain PPO"
    kept = {name: value for name, value in values.items() if name not in left_out}
    game = config.game()
    said_otherwise = {"red_agent": game.red_agent, "network": _network_name(game)}  # bline is B_lineAgent
    return {WHAT: what, **kept, **said_otherwise, **{f"ppo.{name}": value for name, value in config.ppo.items()}}


def _curve_of_run(run: SavedRun) -> Curve:
    if run.config.has_trials:
        best = best_so_far(run)
        ends = [trial.run_episodes for trial in run.trials]
        points = [(end, reward) for end, reward in zip(ends, best, strict=True) if math.isfinite(reward)]
        return Curve(np.array([end for end, _ in points], float), np.array([reward for _, reward in points]), True)
    return curve_of_updates(run.updates)


def curve_of_updates(updates: Sequence[LoggedUpdate]) -> Curve:
    """The curve of one training."""
    return Curve(
        np.array([update.episodes for update in updates], np.float64),
        np.array([update.env_reward for update in updates], np.float64),
    )


def _read_baselines(path: Path) -> list[Member]:
    settings, rows = read_settings(path), read_baselines(path / ROWS)
    if not rows:
        raise UserError(f"{path} holds no baseline that has been measured yet")
    options = settings.game
    common = {**options.to_json(), "network": _network_name(options)}
    del common["scenario"]  # where the file stood
    names = {entry.label: entry.name for entry in settings.entries()}
    members = []
    for row in rows:
        trained = {"total_episodes": settings.total_episodes} if row.episodes else {}
        source = _source_of_row(path, row, names.get(row.baseline, row.baseline), settings.compliance_definition)
        order = {} if row.order is None else {"judged by": short_order(row.order)}
        members.append(
            Member(
                path=path,
                seed=row.seed,
                settings={WHAT: f"baseline {row.baseline}", **common, **trained, **order},
                options=options,
                game=_game(options),
                source=source,
                notes=source.notes(options.blue_setting),
                episodes=row.episodes,
                seconds=row.train_seconds,
            )
        )
    return members


def _source_of_row(path: Path, row: BaselineRow, name: str, definition: str) -> AgentSource:
    options = SourceOptions(order=row.order, definition=definition)
    if row.policy is None:
        return BaselineSource(name, options.workflow())
    return find_agent(str(path / row.policy), options)


def _game(options: GameOptions) -> Game:
    durations = options.network.scenario.durations
    in_words = "" if durations == Durations() else format_durations(durations)
    name = _network_name(options)
    return Game(options.red_agent, options.rules, options.max_steps, options.green, name, in_words)


def _network_name(options: GameOptions) -> str:
    """Empty for CAGE-2's own; another is told by its fingerprint, since runs keep copies of its file."""
    network = options.network.identity
    return "" if is_cage2(network) else f"network {network.fingerprint[:SHORT]}"


def _window_mean(curve: Curve, end: int, window: int) -> float:
    """Mean over the last `window` episodes of the first `end` updates; the oldest update counts by its share."""
    sizes = np.diff(curve.episodes[:end], prepend=0.0)
    later = np.cumsum(sizes[::-1])[::-1] - sizes
    weights = np.clip(window - later, 0.0, sizes)
    return float(np.average(curve.rewards[:end], weights=weights))
