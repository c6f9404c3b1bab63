"""Logs that can be cut back."""

from pathlib import Path

import pytest

from cageflow.experiment.csv_log import CsvLog


def test_csv_log_cut_back_to_a_checkpoint_forgets_whole_and_torn_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvLog(path, "A,B")
    log.append([[1, "one"]])
    length = log.length
    log.append([[2, "two"]])
    log.close()
    with path.open("a") as file:
        file.write("3,thr")
    log = CsvLog(path, "A,B", length)
    log.append([[2, "two again"]])
    log.close()
    assert path.read_text() == "A,B\n1,one\n2,two again\n"


def test_csv_log_cut_to_nothing_begins_with_the_header(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("A,")
    CsvLog(path, "A,B", 0).close()
    assert path.read_text() == "A,B\n"


def test_csv_log_refuses_a_row_of_another_width(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv", "A,B")
    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        log.append([[1]])
    log.close()
