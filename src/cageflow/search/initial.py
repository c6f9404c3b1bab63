"""Where the training of an order starts: from its own learner, from that of another order, or from scratch."""

from collections.abc import Callable

from cageflow.errors import UserError
from cageflow.scenario.orders import Order, kendall_distance
from cageflow.search.trial import History


def from_scratch(order: Order, history: History) -> Order | None:
    """An order that was trained goes on from its own learner; a new one from scratch."""
    return order if _was_trained(order, history) else None


def from_nearest(order: Order, history: History) -> Order | None:
    """A new order goes on from the trained order at the least Kendall distance; of equals, the last to be trained."""
    if _was_trained(order, history):
        return order
    return min(
        (trial.order for trial in reversed(history)), key=lambda other: kendall_distance(order, other), default=None
    )


def from_shared(order: Order, history: History) -> Order | None:
    """A new order goes on from the learner that all trials so far have passed on: that of the last one to end."""
    if _was_trained(order, history):
        return order
    return history[-1].order if history else None


def anew(order: Order, history: History) -> Order | None:
    """Every trial begins from scratch, whatever was trained before."""
    return None


INITS: dict[str, Callable[[Order, History], Order | None]] = {
    "scratch": from_scratch,
    "nearest": from_nearest,
    "shared": from_shared,
}
"""The rules for new orders by the names that a user gives; in all of them a trained order goes on from its own."""


def find_init(name: str) -> Callable[[Order, History], Order | None]:
    """The rule of a name in `INITS`.

    Raises:
        UserError: there is none.
    """
    if name not in INITS:
        raise UserError(f"unknown init {name!r}: choose one of {', '.join(INITS)}")
    return INITS[name]


def _was_trained(order: Order, history: History) -> bool:
    return any(trial.order == order for trial in history)
