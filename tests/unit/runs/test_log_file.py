"""Logs of runs that may still be writing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from cageflow.csv_format import Column, CsvFormat, whole
from cageflow.errors import UserError
from cageflow.runs.log_file import read_log


@dataclass(frozen=True)
class Line:
    number: Annotated[int, whole("A")]
    word: Annotated[str, Column("B")]


LINES = CsvFormat(Line)


def test_log__is_read_by_column_and_may_have_further_ones(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("A,B,C\n1,x,2\n3,y,4\n")
    assert read_log(tmp_path / "log.csv", LINES) == [Line(1, "x"), Line(3, "y")]


@pytest.mark.parametrize("tail", ["3,", "3,y", "3"])
def test_last_line_that_is_not_whole__is_left_out(tmp_path: Path, tail: str) -> None:
    (tmp_path / "log.csv").write_text(f"A,B\n1,x\n{tail}")
    assert read_log(tmp_path / "log.csv", LINES) == [Line(1, "x")]


@pytest.mark.parametrize("content", ["", "A", "A,B\n"])
def test_log_without_lines__is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "log.csv").write_text(content)
    assert read_log(tmp_path / "log.csv", LINES) == []
    assert read_log(tmp_path / "none.csv", LINES) == []


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"A,C\n1,2\n", "is not a log of this version: expected the columns A,B"),
        (b"A,B\n1\n2,3\n", "line 2: expected 2 values, got 1"),
        (b"A,B\n1,x\ny,2\n", "log.csv, line 3: invalid literal"),
        (b"\xff\xfe\n", "cannot be read: it is no text"),
    ],
)
def test_what_is_no_such_log__is_refused(tmp_path: Path, content: bytes, wanted: str) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(UserError, match=wanted):
        read_log(tmp_path / "log.csv", LINES)
