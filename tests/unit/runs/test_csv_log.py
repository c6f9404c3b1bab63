"""Logs that can be cut back, and that nobody else can be made to cut."""

import os
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.runs.csv_log import CsvLog, LogEnd
from cageflow.runs.interrupt import RunFailedError


def opened(path: Path, end: LogEnd | None = None) -> CsvLog:
    log = CsvLog(path, "A,B", end)
    log.begin()
    return log


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, LogEnd]:
    """A log of one line, and its end; another line stands after it."""
    path = tmp_path / "log.csv"
    log = opened(path)
    log.append([[1, "one"]])
    end = log.end
    log.append([[2, "two"]])
    log.close()
    return path, end


def test_csv_log_cut_back_to_a_checkpoint_forgets_whole_and_torn_lines(written: tuple[Path, LogEnd]) -> None:
    path, end = written
    with path.open("a") as file:
        file.write("3,thr")
    for _ in range(2):
        log = opened(path, end)
        assert log.end == end
        log.append([[2, "two again"]])
        log.close()
        assert path.read_text() == "A,B\n1,one\n2,two again\n"


def test_csv_log_begun_anew_has_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("A,")
    opened(path).close()
    assert path.read_text() == "A,B\n"


def test_csv_log_refuses_a_row_of_another_width(tmp_path: Path) -> None:
    log = opened(tmp_path / "log.csv")
    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        log.append([[1]])
    log.close()


def test_every_flipped_bit_before_the_checkpoint_is_refused_and_left_as_it_was(written: tuple[Path, LogEnd]) -> None:
    path, end = written
    whole = path.read_bytes()
    for bit in range(8 * end.length):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"log\.csv is not as it was at the checkpoint: put the file back"):
            CsvLog(path, "A,B", end)
        assert path.read_bytes() == content
    path.write_bytes(whole)
    opened(path, end).close()


def test_link_in_place_of_a_log_is_refused_and_its_target_is_left_alone(written: tuple[Path, LogEnd]) -> None:
    path, end = written
    whole = path.read_bytes()
    target = path.rename(path.with_name("mine"))
    path.symlink_to(target)
    with pytest.raises(UserError, match="is a link, where a file is expected: put the file itself there"):
        CsvLog(path, "A,B", end)
    path.unlink()
    path.hardlink_to(target)
    with pytest.raises(UserError, match="has another name, whose content would be cut too"):
        CsvLog(path, "A,B", end)
    assert target.read_bytes() == whole


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, kind in (("pipe", "a named pipe"), ("folder", "a folder")):
        with pytest.raises(UserError, match=f"{name} is {kind}, where a file is expected"):
            CsvLog(tmp_path / name, "A,B")


def test_log_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    log = opened(tmp_path / "log.csv")
    with pytest.raises(UserError, match="is being written by another process"):
        CsvLog(tmp_path / "log.csv", "A,B")
    log.close()
    opened(tmp_path / "log.csv").close()


def test_log_that_was_removed_or_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = opened(path)
    log.sync()
    path.unlink()
    for _ in range(2):
        with pytest.raises(RunFailedError, match="was removed or replaced while the run was going"):
            log.sync()
        path.write_text("A,B\n")
    log.close()
