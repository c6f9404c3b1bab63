"""Spoiling the files of a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cageflow.settings.settings_file import SUM, dump_settings, read_object


def sign_again(path: Path, **changes: Any) -> None:
    """Change settings and their check sum with them."""
    content = {name: value for name, value in read_object(path).items() if name != SUM}
    path.write_bytes(dump_settings({**content, **changes}))


def flipped_bits(path: Path, number: int) -> Iterator[int]:
    """Have a file with one bit flipped, again and again: `number` bits evenly spread; the file is mended at the end."""
    whole = path.read_bytes()
    bits = 8 * len(whole)
    try:
        for bit in range(0, bits, max(1, bits // number)):
            content = bytearray(whole)
            content[bit // 8] ^= 1 << (bit // 8 + bit) % 8
            path.write_bytes(content)
            yield bit
    finally:
        path.write_bytes(whole)
