"""A saved run, read from its folder: its configuration, its logs and which policy is its best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import RULES, GameOptions
from cageflow.errors import UserError
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy
from cageflow.runs.folder_lock import LOCK, is_locked
from cageflow.runs.layout import CHECKPOINT, CONFIG, RECOMMENDATION, UNIVERSAL_TABLE, with_kept_files
from cageflow.runs.log_file import read_lines, read_log
from cageflow.runs.logs import BELIEFS, BEST_ACQUISITION, LOGS, TRIALS, UPDATES, WHOLE_ACQUISITION, LoggedUpdate
from cageflow.runs.recommendation import FinalTraining, SavedRecommendation, read_recommendation
from cageflow.scenario.orders import Order, OrderSpace, format_order
from cageflow.search import TrialResult, best_trial, read_landscape
from cageflow.settings.commands import SearchConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import ABOUT, read_config
from cageflow.settings.settings_file import read_object
from cageflow.training.trainer import FreshEvaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial that has ended.

    Attributes:
        number: of the trial, from 0.
        result: what it came to.
        run_episodes: trained in the whole run when it ended.
    """

    number: int
    result: TrialResult
    run_episodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What the strategy thought of the orders before the last trial; arrays (N,), of those that the log has.

    Attributes:
        iteration: number of that trial.
        ranks: numbers of the orders, ascending.
        mean, std: of the reward.
        feasibility: probability that the order reaches the compliance threshold.
    """

    iteration: int
    ranks: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    feasibility: npt.NDArray[np.float64]


@dataclass(frozen=True)
class SavedRun:
    """A run as its folder has it.

    Attributes:
        path: the folder.
        config: its settings; the network file is the folder's own copy.
        about: versions, machine and time of the start.
        updates: all updates.
        trials: those that have ended; of `train` none.
        beliefs: None where the strategy has no model, or was not asked yet.
        is_going: whether a process has the run open.
        recommendation: what a run with trials recommends, measured afresh; None while it has not ended.
    """

    path: Path
    config: RunConfig
    about: Mapping[str, str]
    updates: tuple[LoggedUpdate, ...]
    trials: tuple[Trial, ...]
    beliefs: Beliefs | None
    is_going: bool
    recommendation: SavedRecommendation | None = None

    @property
    def tries_orders(self) -> bool:
        """Whether it tried several orders."""
        return self.config.tries_orders

    @cached_property
    def orders(self) -> OrderSpace:
        """All orders of the network that it played on."""
        return self.config.game().network.orders

    @cached_property
    def comparable(self) -> tuple[Trial, ...]:
        """The trials that can be compared: all, or in rungs those that ended at the furthest rung so far."""
        if not self.config.ladder:
            return self.trials
        furthest = max((trial.result.total_episodes for trial in self.trials), default=0)
        return tuple(trial for trial in self.trials if trial.result.total_episodes == furthest)

    @cached_property
    def best(self) -> TrialResult | None:
        """The trial of the policy that the run recommends, or the best so far; None for a single training."""
        if not self.trials:
            return None
        results = [trial.result for trial in self.comparable]
        if (wanted := self.recommendation) is not None:
            results = [one for one in results if (one.order, one.training) == (wanted.order, wanted.training)]
            if not results:
                order = format_order(wanted.order)
                raise UserError(
                    f"{self.path / RECOMMENDATION} recommends training {wanted.training} of {order}, which is not "
                    f"{'at the furthest rung ' if self.config.ladder else ''}in "
                    f"{self.path / LOGS['sampling'].name}: put back whichever of the two is not as the run left it"
                )
        return best_trial(results, self.config.compliance_threshold)[0]

    @property
    def measured(self) -> FreshEvaluation | TrialResult | None:
        """What the best policy came to: on episodes that decided nothing once the run has ended, before as its trial.

        The figures of the trial are the ones by which it was chosen, so they flatter it.
        """
        return self.best if self.recommendation is None else self.recommendation.measured

    @property
    def is_feasible(self) -> bool:
        """Whether the best trial reached the compliance threshold, or its policy when it had been trained on."""
        if self.best is None:
            return False
        judged = self.best if self.final is None else self.final.evaluation
        return judged.compliance >= self.config.compliance_threshold

    @property
    def final(self) -> FinalTraining | None:
        """The training with the episodes that a search has kept back; None without, or where it has not ended."""
        return None if self.recommendation is None else self.recommendation.final

    @property
    def order(self) -> Order | None:
        """The best workflow, or the one that was trained; None for plain PPO."""
        return self.config.order() if self.best is None else self.best.order

    @property
    def episodes(self) -> int:
        """Trained so far."""
        by_trial = {update.trial: update.episodes for update in self.updates}
        return sum(by_trial.values()) + (0 if self.final is None else self.final.episodes)

    @property
    def is_over(self) -> bool:
        """Whether it did all that it was to do."""
        # The policy of a single training, and the table of a universal one, are written when it ends.
        if isinstance(self.config, SearchConfig) and self.config.final_episodes:
            return self.final is not None
        if self.config.picks_orders and self.config.ladder:  # what is left of the budget may be too little for a rung
            return self.recommendation is not None
        return self.config.is_over([trial.result for trial in self.trials])

    @property
    def policy_path(self) -> Path:
        """The file of the best policy."""
        order = self.config.order()
        name = self.config.policy_name or ("policy" if order is None else self.orders.file_name(order))
        return self.path / "policies" / f"{name}.safetensors"

    @property
    def game(self) -> GameOptions:
        """That its policy is judged in: the run's; of one that is told which rules it plays, by the first of RULES."""
        game = self.config.game()
        return replace(game, rules=RULES[0]) if self.config.tells_rules else game

    def policy(self) -> Policy:
        """The best policy.

        Raises:
            UserError: it is missing or damaged, or is another's than the log says.
        """
        if not self.policy_path.is_file():
            raise UserError(f"the best policy of {self.path} is missing: put {self.policy_path} back")
        order = self.order if self.config.follows_any else None
        policy = load_policy(self.policy_path, order=order).for_rules(self.game.rules)
        wanted = None if self.order is None else format_order(self.order)
        if policy.card.workflow != wanted:
            raise UserError(
                f"{self.policy_path} is of the workflow {policy.card.workflow}, but the best in the log is {wanted}: "
                "if the run is still going, try again; if it was stopped, go on with it by --resume"
            )
        return policy


def read_run(path: Path) -> SavedRun:
    """Read a run folder.

    Raises:
        UserError: it is none, a log is damaged, or no trial has ended in it.
    """
    if not path.is_dir():
        what = "it is a file" if path.exists() else "there is no such folder"
        raise UserError(f"{path} is no run folder: {what}")
    config = with_kept_files(read_config(path / CONFIG), path)
    about = read_object(path / CONFIG).get(ABOUT, {})
    run = SavedRun(
        path=path,
        config=config,
        about=about if isinstance(about, dict) else {},
        updates=tuple(read_log(path / LOGS["training"].name, UPDATES)),
        trials=_read_trials(path, config),
        beliefs=_read_beliefs(path, len(config.game().network.orders)) if config.picks_orders else None,
        is_going=is_locked(path / CHECKPOINT / LOCK),
        recommendation=read_recommendation(path) if config.has_trials else None,
    )
    if run.tries_orders and not run.trials:
        raise UserError(f"no trial has ended in {path} yet{_what_to_do(run)}")
    if not run.tries_orders and not run.policy_path.is_file():
        raise UserError(f"the training in {path} has not ended, and has no policy yet{_what_to_do(run)}")
    return run


def _what_to_do(run: SavedRun) -> str:
    if run.is_going:
        return ": it is still going, wait for it"
    return f": go on with it by cageflow {run.config.command} --resume {run.path}"


def _read_trials(path: Path, config: RunConfig) -> tuple[Trial, ...]:
    if not config.tries_orders:
        return ()
    if config.has_trials:
        trials = read_log(path / LOGS["sampling"].name, TRIALS)
        return tuple(Trial(number=one.number, result=one.result, run_episodes=one.run_episodes) for one in trials)
    table = path / UNIVERSAL_TABLE
    if not table.exists():
        return ()
    rows = read_landscape(table).rows
    results = [
        TrialResult(
            order=row.order,
            reward=row.reward,
            reward_se=row.reward_se,
            compliance=row.compliance,
            compliance_se=row.compliance_se,
            episodes=max(1, row.episodes),
            total_episodes=max(1, row.episodes),
            ending=row.ending,
            seconds=row.seconds,
        )
        for row in rows
    ]
    return tuple(
        Trial(number=number, result=result, run_episodes=config.total_episodes) for number, result in enumerate(results)
    )


def _read_beliefs(path: Path, num_orders: int) -> Beliefs | None:
    """The last iteration of which all lines are there: a run that is going may be writing one."""
    file = path / LOGS["acquisition"].name
    last_first = map(BELIEFS.parse, reversed(read_lines(file, BELIEFS)))
    expected = num_orders if num_orders <= WHOLE_ACQUISITION else BEST_ACQUISITION
    try:
        iterations = ([*lines][::-1] for _, lines in groupby(last_first, key=lambda line: line.iteration))
        last = next((lines for lines in iterations if len(lines) >= expected), None)
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error
    if last is None:
        return None
    ranks = np.array([line.workflow_id for line in last], np.int64)
    if (np.diff(ranks) <= 0).any():
        raise UserError(f"{file}: expected the orders of an iteration by their numbers, each once")
    mean, std, feasibility = (
        np.array(figures) for figures in zip(*((line.mean, line.std, line.feasibility) for line in last), strict=True)
    )
    return Beliefs(iteration=last[0].iteration, ranks=ranks, mean=mean, std=std, feasibility=feasibility)
