"""The rungs of trainings as a user gives them, and those that follow where none are given."""

from __future__ import annotations

from cageflow.errors import UserError

MAX_RUNGS = 100
_SHARES = (8, 4, 2, 1)
"""Without rungs of the user a training is judged at an eighth of its episodes, a quarter, a half and all."""


def read_rungs(value: object) -> tuple[int, ...]:
    """Rungs as text (`750,1500,3000,6000`), as one number or as a list of numbers.

    Raises:
        UserError: they are no numbers of episodes that ascend from at least 1, or too many.
    """
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    try:
        rungs = tuple(_whole(part) for part in parts)
    except ValueError:
        rungs = ()
    if not rungs or len(rungs) > MAX_RUNGS or rungs[0] < 1 or sorted(set(rungs)) != list(rungs):
        raise UserError(
            f"rungs is {str(value)[:200]!r}: expected numbers of episodes that ascend, with commas between, such as "
            "750,1500,3000,6000; the last is the length of a training"
        )
    return rungs


def write_rungs(rungs: tuple[int, ...]) -> str:
    """Rungs as the settings keep them."""
    return ",".join(map(str, rungs))


def ladder(full_episodes: int, episodes_per_update: int, rungs: tuple[int, ...] | None) -> tuple[int, ...]:
    """The rungs of trainings of so many episodes: after whole updates, so that no update is cut for being judged.

    Args:
        full_episodes: of a training; the last rung.
        episodes_per_update: rungs below are rounded up to whole updates.
        rungs: those that the user gives; None for shares of all.
    """
    wanted = rungs or tuple(-(-full_episodes // share) for share in _SHARES)
    whole = {-(-rung // episodes_per_update) * episodes_per_update for rung in wanted[:-1]}
    return (*sorted(rung for rung in whole if rung < full_episodes), full_episodes)


def _whole(part: object) -> int:
    if isinstance(part, bool) or (isinstance(part, float) and part != int(part)):
        raise ValueError(part)
    return int(part) if isinstance(part, int | float) else int(str(part).strip())
