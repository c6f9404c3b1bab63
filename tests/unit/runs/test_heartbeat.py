"""A sign of life comes in a silence, again and again, and not after the end."""

import time

from cageflow.runs.heartbeat import Heartbeat
from tests.helpers.processes import wait_until


def test_silence__is_broken_at_growing_intervals_until_something_is_heard() -> None:
    beats: list[float] = []
    with Heartbeat(beats.append, first_s=0.05) as heartbeat:
        assert wait_until(lambda: len(beats) == 4, 20.0)
        assert beats[0] >= 0.05 and beats[1] >= 0.15 and beats[2] >= 0.35 and beats[3] >= 0.55
        heartbeat.note()
        assert wait_until(lambda: len(beats) == 5, 20.0)
        assert beats[4] < beats[3]
    heard = len(beats)
    time.sleep(0.3)
    assert len(beats) == heard


def test_listener_that_has_gone__is_no_error() -> None:
    calls: list[float] = []

    def beat(seconds: float) -> None:
        calls.append(seconds)
        raise BrokenPipeError

    with Heartbeat(beat, first_s=0.01):
        assert wait_until(lambda: len(calls) >= 2, 20.0)
