"""Records as lines of a CSV file: each column stands once, and what is written is read back."""

from dataclasses import dataclass
from math import isnan, nan
from typing import Annotated

import pytest

from cageflow.csv_format import Column, CsvFormat, csv_text, decimals, flag, or_nan, or_none, significant, whole


@dataclass(frozen=True)
class Inner:
    share: Annotated[float, or_nan(decimals("Share", 3))]
    ending: Annotated[str | None, or_none(Column("Ending"))]


@dataclass(frozen=True)
class Outer:
    number: Annotated[int, whole("Number")]
    inner: Inner
    words: Annotated[tuple[str, ...], Column("Words", "-".join, lambda cell: tuple(cell.split("-")))]
    loss: Annotated[float, significant("Loss", 2)]
    done: Annotated[bool, flag("Done")]


FORMAT = CsvFormat(Outer)
RECORD = Outer(7, Inner(0.25, "cap"), ("a", "b"), 1.5e-9, True)
CELLS = ["7", "0.250", "cap", "a-b", "1.5e-09", "1"]


def test_columns__stand_in_the_order_of_the_fields_and_those_of_an_inner_record_in_its_place():
    assert FORMAT.columns == ("Number", "Share", "Ending", "Words", "Loss", "Done")
    assert FORMAT.header == "Number,Share,Ending,Words,Loss,Done"


def test_a_record__becomes_a_line_and_the_line_the_record():
    assert FORMAT.cells(RECORD) == CELLS
    assert FORMAT.parse(dict(zip(FORMAT.columns, CELLS, strict=True))) == RECORD


def test_what_is_none_or_no_number__is_an_empty_cell():
    cells = FORMAT.cells(Outer(7, Inner(nan, None), ("a",), 1.0, False))
    assert cells == ["7", "", "", "a", "1", "0"]
    read = FORMAT.parse({"Further": "x", **dict(zip(FORMAT.columns, cells, strict=True))})
    assert isnan(read.inner.share)
    assert read.inner.ending is None


@pytest.mark.parametrize(("column", "cell"), [("Number", "1.5"), ("Share", "x"), ("Loss", ""), ("Done", "yes")])
def test_a_cell_that_is_no_such_value__is_refused(column, cell):
    with pytest.raises(ValueError, match=r"invalid literal|could not convert"):
        FORMAT.parse({**dict(zip(FORMAT.columns, CELLS, strict=True)), column: cell})


def test_csv_text__quotes_what_holds_a_comma():
    assert csv_text([("a", "b,c"), (1, "")]) == 'a,"b,c"\n1,\n'
