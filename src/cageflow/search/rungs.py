"""Trainings in rungs: how far each has come, and where its next trial takes it.

The rungs are ascending numbers of episodes, the same for all trainings; the last is the full budget of a training.
"""

from collections.abc import Sequence
from itertools import pairwise

from cageflow.errors import UserError
from cageflow.scenario.orders import Order
from cageflow.search.trial import History, TrialRequest

Rungs = tuple[int, ...]
Training = tuple[Order, int]
"""An order, and which of its trainings, from 1."""


def check_rungs(rungs: Rungs) -> None:
    """Refuse what are no rungs.

    Raises:
        UserError: they do not ascend from at least 1.
    """
    if any(low >= high for low, high in pairwise((0, *rungs))):
        raise UserError(f"the rungs are {', '.join(map(str, rungs))}: expected numbers of episodes that ascend from 1")


def progress(history: History, pending: Sequence[TrialRequest] = ()) -> dict[Training, int]:
    """Episodes that each training has come to, in the order in which they began; a pending trial counts as ended."""
    episodes: dict[Training, int] = {}
    for trial in history:
        episodes[trial.order, trial.training] = trial.total_episodes
    for request in pending:
        episodes[request.order, request.training] = request.total_episodes
    return episodes


def next_rung(rungs: Rungs, episodes: int) -> int | None:
    """The rung above so many episodes; None from the full budget on."""
    return next((rung for rung in rungs if rung > episodes), None)


def at_the_furthest(history: History) -> History:
    """The trials that ended at the furthest rung that any has reached."""
    furthest = max((trial.total_episodes for trial in history), default=0)
    return [trial for trial in history if trial.total_episodes == furthest]
