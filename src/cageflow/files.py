"""Files that are written whole or not at all, read only if they are files, and named by one rule."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cageflow.errors import UserError

MOST_NAMED = 3
"""Paths that a sentence lists."""


def name_some(paths: Sequence[Path]) -> str:
    """Paths as a sentence lists them: the first few, and whether there are others."""
    more = " and others" if len(paths) > MOST_NAMED else ""
    return f"{', '.join(map(str, paths[:MOST_NAMED]))}{more}"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old content or the new.

    A link in place of the file is replaced, and what it points to is left alone.

    Args:
        path: the file; its folder exists.
        content: what it is to hold.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    temporary = partial_of(path)
    try:
        temporary.unlink(missing_ok=True)  # of a crash, or a link to something else
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # a full disk needs the room
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def partial_of(path: Path) -> Path:
    """Where `write_whole` keeps what it has not finished; a crash may leave it behind."""
    return path.with_name(f".{path.name}.partial")


def is_partial(path: Path) -> bool:
    """Whether a file is what a crash has left of `write_whole`."""
    return path.name.startswith(".") and path.name.endswith(".partial") and not path.is_dir()


def read_whole(path: Path) -> bytes:
    """Read a file, without waiting for what is none.

    Raises:
        OSError: it is not there, or cannot be read.
        UserError: it is a folder, a named pipe or a device.
    """
    with open(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read()


def open_file(path: Path, flags: int) -> int:
    """Open a file, without waiting for what is none: a named pipe would, for its other end.

    Args:
        path: of the file.
        flags: as for `os.open`; with `O_NOFOLLOW` a link is refused as well.

    Returns:
        Its descriptor.

    Raises:
        OSError: it is not there, or cannot be opened.
        UserError: it is a folder, a named pipe, a device, or a link that is not to be followed.
    """
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        kinds = {errno.ELOOP: "a link", errno.EISDIR: "a folder", errno.ENXIO: "a named pipe"}
        if error.errno not in kinds:
            raise
        raise _no_file(path, kinds[error.errno]) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _no_file(
            path, "a folder" if stat.S_ISDIR(mode) else "a named pipe" if stat.S_ISFIFO(mode) else "a device"
        )
    return descriptor


def _no_file(path: Path, kind: str) -> UserError:
    return UserError(f"{path} is {kind}, where a file is expected: put the file itself there")


def checksum(content: bytes) -> str:
    """By which a content is known again: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_output_file(path: Path, *suffixes: str, option: str = "--out") -> None:
    """Refuse a file that could not be written, before the work whose result it is to hold.

    The rule for all files that a user names for a result: the name ends as its content does; folders that are missing
    are made when it is written; a file that is there is replaced.

    Args:
        path: the file.
        suffixes: how its name may end.
        option: that named it.

    Raises:
        UserError: the name ends otherwise, something else has it, or its folder cannot be written.
    """
    wanted = f"name a file that ends in {' or '.join(suffixes)}"
    try:
        if path.is_dir():
            raise UserError(f"{option} is {path}, which is a folder: {wanted}")
        if path.suffix.lower() not in suffixes:
            raise UserError(f"{option} is {path}: {wanted}")
        if path.exists() and not path.is_file():
            raise UserError(f"{option} is {path}, which is no common file: {wanted}")
        _check_writable(path, path.parent, option)
    except OSError as error:
        raise UserError(f"{option} is {path}, which cannot be written: {error.strerror}") from error


def check_output_folder(path: Path, option: str = "--out") -> None:
    """Refuse a folder that could not be written, likewise: it is made with those above it, and what is there stays.

    Raises:
        UserError: it is a file, or cannot be written.
    """
    try:
        if path.exists() and not path.is_dir():
            raise UserError(f"{option} is {path}, which is a file: name a folder")
        _check_writable(path, path, option)
    except OSError as error:
        raise UserError(f"{option} is {path}, which cannot be written: {error.strerror}") from error


def _check_writable(path: Path, folder: Path, option: str) -> None:
    """Try to write where the first folder is that is there already, leaving nothing behind.

    Raises:
        UserError: a file is in the way.
        OSError: it cannot be written.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise UserError(f"{option} is {path}, but {there} is a file: name another place")
    tempfile.TemporaryFile(dir=there).close()
