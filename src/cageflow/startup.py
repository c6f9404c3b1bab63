"""Ctrl-C while the command line is still being loaded: its end, without a traceback through half-loaded libraries.

This is the first that is loaded, so it takes nothing that Python has not loaded by then.
"""

import os
import sys

_signal = __import__("_signal")  # the part of `signal` that is in Python itself; the rest takes 20 ms to load
_EXIT_INTERRUPTED = 130
_interrupted = False


def begin_loading() -> None:
    """From here on Ctrl-C ends the process at once, if it is that of a command.

    One that a shell has started with Ctrl-C ignored keeps to that.
    """
    if is_command() and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _end)


def end_loading() -> None:
    """From here on Ctrl-C is Python's KeyboardInterrupt again, and is remembered."""
    if _signal.getsignal(_signal.SIGINT) is _end:
        _signal.signal(_signal.SIGINT, _interrupt)


def was_interrupted() -> bool:
    """Whether Ctrl-C has come since: a library that is just being loaded in C can make another error of it."""
    return _interrupted


def is_command() -> bool:
    """Whether this process is `cageflow ...` or `python -m cageflow ...`, and no program that imports the package."""
    if not sys.argv:
        return False
    if sys.argv[0] == "-m" or os.path.basename(sys.argv[0]) == "__main__.py":  # before Python has found it, and then
        return ("-m", "cageflow") in zip(sys.orig_argv, sys.orig_argv[1:], strict=False)
    return os.path.basename(sys.argv[0]) in ("cageflow", "cageflow.exe")


def _interrupt(number: int, frame: object) -> None:
    global _interrupted
    _interrupted = True
    raise KeyboardInterrupt


def _end(number: int, frame: object) -> None:
    os.write(2, b"cageflow: stopped by SIGINT\n")
    os._exit(_EXIT_INTERRUPTED)
