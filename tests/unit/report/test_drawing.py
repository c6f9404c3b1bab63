"""Charts in the page's colours and letters, and as files."""

import re
from html import unescape
from pathlib import Path

import matplotlib.image
import pytest
from matplotlib.figure import Figure

from cageflow.report.content import Chart
from cageflow.report.drawing import Drawing, draw, fitting, shaded_grid, tip
from cageflow.report.theme import COLOURS, light


def _line(figure: Figure, narrow: bool) -> None:
    axes = figure.subplots()
    (line,) = axes.plot([0, 1], [0, 2], color=light("amber"))
    line.set_gid(tip("defender > user: −20.0"))
    axes.set_title("narrow" if narrow else "wide")
    axes.set_xlabel('a "label" & more')


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return draw(Chart("a_chart", "A chart", 'What is to be "seen" & read', _line, (300, 200)))


def test_inline_svg__takes_its_colours_and_letters_from_the_page(drawing: Drawing) -> None:
    text = drawing.inline(narrow=False)
    assert "var(--amber)" in text
    assert "var(--font)" in text
    assert not re.search(r"#[0-9a-f]{6}\b", text)
    assert "DejaVu" not in text
    assert "<metadata>" not in text


def test_inline_svg__has_words_its_size_and_names_of_its_own(drawing: Drawing) -> None:
    wide, narrow = drawing.inline(narrow=False), drawing.inline(narrow=True)
    assert wide.startswith(
        '<svg class="wide" role="img" aria-label="What is to be &quot;seen&quot; &amp; read" width="840" height="300" '
        'viewBox="0 0 840 300">'
    )
    assert 'class="narrow"' in narrow
    assert ">narrow<" in narrow
    assert ">wide<" in wide
    names = [set(re.findall(r'id="([^"]*)"', text)) for text in (wide, narrow)]
    assert not names[0] & names[1]
    used = {name for text in (wide, narrow) for name in re.findall(r'(?:href="#|url\(#)([^")]*)', text)}
    assert used
    assert used <= names[0] | names[1]
    assert "<title>defender &gt; user: −20.0</title>" in wide


def test_files__are_in_light_colours_and_the_same_each_time(drawing: Drawing, tmp_path: Path) -> None:
    drawing.write_files(tmp_path)
    svg = (tmp_path / "a_chart.svg").read_text()
    assert light("amber") in svg
    assert "var(" not in svg
    assert "<title>defender" in svg
    picture = matplotlib.image.imread(tmp_path / "a_chart.png")
    assert picture.shape[:2] == (600, 1680)
    again = draw(drawing.chart)
    assert (again.wide, again.narrow, again.png) == (drawing.wide, drawing.narrow, drawing.png)


def test_shaded_grid__leaves_cells_without_a_shade_empty() -> None:
    axes = Figure().subplots()
    shaded_grid(axes, [[0.0, None], [1.0, 0.5]], [["0", "never"], ["10", "5"]], ["a", "b"], ["c", "d"], "blue")
    assert sorted(text.get_text() for text in axes.texts) == ["0", "10", "5"]
    strengths = [patch.get_alpha() for patch in axes.patches if patch.get_alpha() is not None]
    assert strengths == [0.0, pytest.approx(0.55), pytest.approx(0.275)]


NAMES = ("$x_1$", "</svg>", "srv-1.23456", '" id="a', "#1a1f26", "font-family: x", "&amp;", "東京", "[red]")


def test_names__stand_in_the_page_as_they_are() -> None:
    cells: list[list[float | None]] = [[None]] * len(NAMES)

    def names(figure: Figure, narrow: bool) -> None:
        shaded_grid(figure.subplots(), cells, [[""]] * len(NAMES), list(NAMES), ["x"], "blue")

    text = draw(Chart("names", "Names", "Names", names, (300, 300))).inline(narrow=False)
    shown = [unescape(words) for words in re.findall(r"<text[^>]*>([^<]*)</text>", text)]
    assert shown == ["x", *NAMES]


def test_long_name__is_shortened_in_its_middle() -> None:
    assert fitting("x" * 22) == "x" * 22
    assert fitting("beginning" + "x" * 70 + "end") == "beginningxx…xxxxxxxend"


def test_no_two_colours_are_alike() -> None:
    assert len({colour.light for colour in COLOURS.values()}) == len(COLOURS)


def _contrast(one: str, other: str) -> float:
    """Of WCAG 2, between two colours `#rrggbb`."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_words_and_marks__stand_out_from_the_page(scheme: str, ground: str) -> None:
    behind = getattr(COLOURS[ground], scheme)
    for name in ("ink", "muted", "accent"):
        assert _contrast(getattr(COLOURS[name], scheme), behind) >= 4.5, name
    for name in ("blue", "teal", "amber", "red", "violet", "rose", "faint"):
        assert _contrast(getattr(COLOURS[name], scheme), behind) >= 2.7, name
    strongest = [
        int(round(0.45 * int(behind[i : i + 2], 16) + 0.55 * int(getattr(COLOURS["blue"], scheme)[i : i + 2], 16)))
        for i in (1, 3, 5)
    ]
    cell = "#" + "".join(f"{part:02x}" for part in strongest)
    assert _contrast(getattr(COLOURS["ink"], scheme), cell) >= 4.5
