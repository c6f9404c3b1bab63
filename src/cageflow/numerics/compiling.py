"""What Numba is compiling at the moment, so that who waits for it can be told. Loads nothing of it."""

from __future__ import annotations

from typing import Any

from cageflow.numerics.compiling_once import compiled_elsewhere

PARTS = {
    "sim": "the simulator",
    "envs": "the simulator",
    "collect": "the playing of episodes",
    "learn": "the learner",
    "numerics": "the arithmetic",
    "search": "the surrogate",
    "workflow": "the judging of fixes",
}
"""What a floor's compiled code is, to a user."""

_under_way: list[tuple[str, str]] = []  # modules and names of the functions, one compiled for the sake of the last
_num_begun = 0
_is_watched = False


def watch_compiling() -> None:
    """Have Numba tell this module what it compiles from now on; what it finds in its cache it does not tell of."""
    global _is_watched
    if _is_watched:
        return
    _is_watched = True
    from numba.core import event

    class Watch(event.Listener):
        def on_start(self, started: Any) -> None:
            global _num_begun
            function = started.data["dispatcher"].py_func
            _under_way.append((function.__module__, function.__name__))
            _num_begun += 1

        def on_end(self, ended: Any) -> None:
            _under_way.pop()

    event.register("numba:compile", Watch())


def num_compiled() -> int:
    """How many functions this process has compiled since it began to be watched, or has begun to."""
    return _num_begun


def being_compiled() -> str | None:
    """What is being compiled in this process, or in another for all, in words; None where nothing is.

    It can be asked for from any thread, and before Numba is loaded.
    """
    ours = [(module, name) for module, name in tuple(_under_way) if module.startswith("cageflow.")]
    if ours:
        module, name = ours[-1]
        return f"{_words(module)} ({name}, function {_num_begun})"
    elsewhere = compiled_elsewhere()
    return None if elsewhere is None else f"{_words(elsewhere)} (in another process)"


def _words(module: str) -> str:
    part = PARTS.get(module.partition(".")[2].partition(".")[0], module)
    return f"compiling {part} for this machine, which is kept for the next time"
