"""The clock of a search with several trials at once: it counts episodes, not seconds.

Trials are taken in the order in which they would end if all trained at one pace. What is chosen next is then a function
of the seed, whatever machine a trial runs on and whoever ends first there.
"""

from __future__ import annotations

from collections.abc import Mapping

from cageflow.search.trial import TrialResult


class EpisodeClock:
    """Says which of the trials under way is the next to end.

    Args:
        now: episodes at which the last trial ended; 0 before the first.
        began: trials under way by number, each with the time at which it began.
    """

    def __init__(self, now: int = 0, began: Mapping[int, int] | None = None) -> None:
        self.now = now
        self._began = dict(began or {})
        self._trained = dict.fromkeys(self._began, 0)
        self._results: dict[int, TrialResult] = {}

    def begin(self, trial: int) -> int:
        """Have a trial begin now; gives the time."""
        self._began[trial], self._trained[trial] = self.now, 0
        return self.now

    def tell(self, trial: int, episodes: int, result: TrialResult | None) -> None:
        """Take in that a trial has trained so many episodes, and what came of it if it has ended.

        Raises:
            RuntimeError: it is not under way, or trains backwards.
        """
        if trial not in self._began or trial in self._results or episodes < self._trained[trial]:
            raise RuntimeError(f"trial {trial} is told of at {episodes} episodes, which cannot be")
        self._trained[trial] = episodes
        if result is not None:
            self._results[trial] = result

    def end(self) -> tuple[int, TrialResult] | None:
        """The next trial to end, if it is known which, and its result; the clock then stands at its end.

        It is known once every other trial has trained for as long, ended or not: one that goes on ends later.
        """
        if not self._results:
            return None
        time, trial = min((self._time(number), number) for number in self._results)
        if any(self._time(number) < time for number in self._began if number not in self._results):
            return None
        self.now = time
        del self._began[trial], self._trained[trial]
        return trial, self._results.pop(trial)

    def _time(self, trial: int) -> int:
        """How far a trial is known to have come."""
        return self._began[trial] + self._trained[trial]
