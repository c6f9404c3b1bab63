"""A file of TensorBoard events: each a record of its length, its content and the check sums of both."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog, SourceMetadata
from tensorboard.compat.proto.summary_pb2 import Summary

_POLYNOMIAL = 0x82F63B78  # of Castagnoli's CRC, its bits turned round
_MASK_DELTA = 0xA282EAD8


class EventFile:
    """A new file of events; each is in the file when it has been written.

    Args:
        folder: where it is to stand.
        first_step: those of other files of the folder count no more from here on; 0 for no such file.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        free = (path for number in itertools.count() if not (path := folder / f"{name}.{number}").exists())
        self._file = next(free).open("xb", buffering=0)
        self._write(Event(file_version="brain.Event:2", source_metadata=SourceMetadata(writer="cageflow")))
        if first_step:
            self._write(Event(step=first_step, session_log=SessionLog(status=SessionLog.START)))

    def add(self, summary: Summary, step: int | None = None) -> None:
        """Write a summary of a moment."""
        self._write(Event(summary=summary, step=step))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        content = event.SerializeToString()
        length = struct.pack("<Q", len(content))
        self._file.write(
            b"".join([length, struct.pack("<I", masked_sum(length)), content, struct.pack("<I", masked_sum(content))])
        )


def masked_sum(content: bytes) -> int:
    """The check sum of a record: Castagnoli's CRC of 32 bits, masked as TensorFlow does (its `crc32c.h`)."""
    value = 0xFFFF_FFFF
    for byte in content:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFF_FFFF
    return ((value >> 15 | value << 17) + _MASK_DELTA) & 0xFFFF_FFFF


def _table() -> tuple[int, ...]:
    """What each byte makes of a CRC."""
    numbers = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
        numbers.append(number)
    return tuple(numbers)


_TABLE = _table()
