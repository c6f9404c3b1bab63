"""Logs of runs that may still be writing."""

from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.runs.log_file import read_log


def test_log__is_read_by_column_and_may_have_further_ones(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("A,B,C\n1,x,2\n3,y,4\n")
    assert read_log(tmp_path / "log.csv", "A,B") == [{"A": "1", "B": "x", "C": "2"}, {"A": "3", "B": "y", "C": "4"}]


@pytest.mark.parametrize("tail", ["3,", "3,y", "3"])
def test_last_line_that_is_not_whole__is_left_out(tmp_path: Path, tail: str) -> None:
    (tmp_path / "log.csv").write_text(f"A,B\n1,x\n{tail}")
    assert read_log(tmp_path / "log.csv", "A,B") == [{"A": "1", "B": "x"}]


@pytest.mark.parametrize("content", ["", "A", "A,B\n"])
def test_log_without_lines__is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "log.csv").write_text(content)
    assert read_log(tmp_path / "log.csv", "A,B") == []
    assert read_log(tmp_path / "none.csv", "A,B") == []


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"A,C\n1,2\n", "is not a log of this version: expected the columns A,B"),
        (b"A,B\n1\n2,3\n", "line 2: expected 2 values, got 1"),
        (b"\xff\xfe\n", "cannot be read: it is no text"),
    ],
)
def test_what_is_no_such_log__is_refused(tmp_path: Path, content: bytes, wanted: str) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(UserError, match=wanted):
        read_log(tmp_path / "log.csv", "A,B")
