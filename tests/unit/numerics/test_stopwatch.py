"""The time in compiled code."""

import time

from cageflow.numerics.stopwatch import now


def test_now__gives_the_seconds_of_python_s_clock() -> None:
    before, between, after = time.monotonic(), now(), time.monotonic()
    assert before <= between <= after
