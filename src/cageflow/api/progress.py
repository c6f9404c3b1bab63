"""How a job of the public face says how far it is: by a function of the caller, in words, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cageflow import terminal
from cageflow.evaluation.both import Parity
from cageflow.evaluation.protocol import Evaluation
from cageflow.runs.progress import Quiet, Reporter, describe_trial, describe_update, make_reporter
from cageflow.scenario.orders import Order
from cageflow.search import Iteration
from cageflow.training.trainer import UpdateRecord, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is.

    Attributes:
        what: "start", "update", "trial" or "note" of a run; "cell" or "policy" of an evaluation.
        words: what the command would say, in a line.
        done: episodes trained so far, of a run; policies that are done, of an evaluation.
        total: of these, in all.
        workflow: the order that is trained; None for plain PPO, for all of them, and where there is none.
        reward: mean return of the update's episodes, or of the trial's fresh ones; None elsewhere.
        compliance: likewise; None for plain PPO.
        evaluation: of a policy that is done; None elsewhere.
        parity: of one that both simulators played; None elsewhere.
    """

    what: str
    words: str
    done: int = 0
    total: int = 0
    workflow: Order | None = None
    reward: float | None = None
    compliance: float | None = None
    evaluation: Evaluation | None = None
    parity: Parity | None = None


Callback = Callable[[Progress], object]


@dataclass(frozen=True)
class InWords:
    """Progress as the commands say it: live in a terminal, lines elsewhere.

    Attributes:
        stderr: whether on standard error; what is to be known beforehand is said there in any case.
        quiet: whether only that.
    """

    stderr: bool = True
    quiet: bool = False

    def reporter(self) -> Reporter:
        """One in words."""
        return make_reporter(terminal.make_console(stderr=self.stderr), self.quiet)

    def say(self, words: str) -> None:
        """Say it."""
        terminal.say(words, err=True)


@dataclass(frozen=True)
class ByCallback:
    """Progress for a function."""

    callback: Callback

    def reporter(self) -> Reporter:
        """One that calls it."""
        return _Calling(self.callback)

    def say(self, words: str) -> None:
        """Call it with a note."""
        self.callback(Progress(what="note", words=words))


Listener = InWords | ByCallback
ProgressLike = Callback | Listener | bool
"""A function that is told, True for words on standard error, False for silence; or who listens, as of the commands."""


def listener(progress: ProgressLike) -> Listener:
    """Who listens."""
    if isinstance(progress, bool):
        return InWords(quiet=not progress)
    return progress if isinstance(progress, Listener) else ByCallback(progress)


class _Calling(Quiet):
    """Calls a function with each update and trial of a run; signals are answered as by `Quiet`."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._done = self._total = 0

    def start(self, what: str, total_episodes: int, episodes_done: int) -> None:
        """Tell that it begins."""
        self._done, self._total = episodes_done, total_episodes
        self._tell("start", what)

    def update(self, order: Workflow, record: UpdateRecord, run_episodes: int) -> None:
        """Tell an update."""
        self._done = max(self._done, run_episodes)
        workflow = order if isinstance(order, tuple) else None
        compliance = None if order is None else record.compliance
        self._tell("update", "  ".join(describe_update(order, record)), workflow, record.env_reward, compliance)

    def trial(self, iteration: Iteration) -> None:
        """Tell a trial that has ended."""
        self._done = max(self._done, iteration.episodes)
        result = iteration.result
        self._tell("trial", "".join(describe_trial(iteration)), result.order, result.reward, result.compliance)

    def note(self, words: str) -> None:
        """Tell it."""
        self._tell("note", words)

    def launch(self, orders: Sequence[Order]) -> None:
        """Nothing: updates say what is trained."""

    def _tell(
        self,
        what: str,
        words: str,
        workflow: Order | None = None,
        reward: float | None = None,
        compliance: float | None = None,
    ) -> None:
        self._callback(
            Progress(
                what=what,
                words=words,
                done=self._done,
                total=self._total,
                workflow=workflow,
                reward=reward,
                compliance=compliance,
            )
        )


def path_of(path: str | Path | None) -> Path | None:
    """A path that may be given as text."""
    return None if path is None else Path(path)
