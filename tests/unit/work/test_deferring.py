"""Signals wait until the block is over, and are answered then as they would have been."""

import signal
import threading

import pytest

from cageflow.work.deferring import deferring_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal__waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    class Came(BaseException):
        pass

    def handler(*_: object) -> None:
        raise Came

    before = signal.signal(number, handler)
    try:
        reached = False
        with pytest.raises(Came), deferring_signals():
            signal.raise_signal(number)
            reached = True
        assert reached
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


def test_no_signal__changes_nothing() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with deferring_signals():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_threads__are_left_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with deferring_signals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
