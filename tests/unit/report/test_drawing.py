"""Charts in the page's colours and letters, and as files."""

import itertools
import re
from html import unescape
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cageflow.report.content import Chart
from cageflow.report.drawing import STYLE, Drawing, _figure, draw, fitting, in_lines, limits, shaded_grid, tip
from cageflow.report.theme import COLOURS, SERIES, curve_style, light


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


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("number_of", [2, 5, 8])
def test_shaded_grid__has_no_words_that_collide_however_long_the_names(number_of: int, narrow: bool) -> None:
    names = [f"{chr(97 + i)}_whole_department_of_the_enterprise" for i in range(number_of)]
    shades: list[list[float | None]] = [[0.5] * number_of] * number_of

    def grid(figure: Figure, narrow: bool) -> None:
        shaded_grid(figure.subplots(), shades, [["−131.2\nn = 12"] * number_of] * number_of, names, names, "blue", 12.0)

    height = 80 + 48 * number_of
    with mpl.rc_context(rc=STYLE):
        figure = _figure(Chart("grid", "Grid", "Grid", grid, (height, height)), narrow)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
    (axes,) = figure.axes
    for texts in (axes.get_xticklabels(), axes.get_yticklabels(), axes.texts):
        boxes = [text.get_window_extent(renderer) for text in texts]
        assert len(boxes) >= number_of
        for i, box in enumerate(boxes):
            assert not [other for other in boxes[i + 1 :] if box.overlaps(other)], texts[i].get_text()


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


def test_long_names__are_broken_where_a_word_ends() -> None:
    assert in_lines("op_server", 16) == "op_server"
    assert in_lines("medical_imaging_database_servers", 16) == "medical_imaging_\ndatabase_servers"
    assert in_lines("mail_and_collaboration_gateways", 16, 3) == "mail_and_\ncollaboration_\ngateways"
    assert in_lines("x" * 40, 16) == "x" * 16 + "\n…" + "x" * 15
    assert in_lines("", 16) == ""


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
    for name in ("blue", "teal", "amber", "red", "violet", "rose", "faint", *SERIES):
        assert _contrast(getattr(COLOURS[name], scheme), behind) >= 2.7, name
    strongest = [
        int(round(0.45 * int(behind[i : i + 2], 16) + 0.55 * int(getattr(COLOURS["blue"], scheme)[i : i + 2], 16)))
        for i in (1, 3, 5)
    ]
    cell = "#" + "".join(f"{part:02x}" for part in strongest)
    assert _contrast(getattr(COLOURS["ink"], scheme), cell) >= 4.5


EYES = {
    "all colours": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
"""What linear red, green and blue become to people who see so, by Machado, Oliveira and Fernandes (2009)."""


def _seen(colour: str, eyes: str) -> NDArray[np.float64]:
    """CIELAB of a colour as people see it."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(EYES[eyes]) @ linear, 0.0, 1.0)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / (0.9505, 1.0, 1.089), 1e-4))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _alike(colours: list[str], eyes: str) -> list[tuple[str, str]]:
    pairs = itertools.combinations(colours, 2)
    return [pair for pair in pairs if np.linalg.norm(_seen(pair[0], eyes) - _seen(pair[1], eyes)) < 15.0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_seven_curves__are_told_apart_by_all_eyes(scheme: str, eyes: str) -> None:
    assert len(SERIES) == 7
    assert _alike([getattr(COLOURS[name], scheme) for name in SERIES], eyes) == []


def test_colours_that_some_cannot_tell_apart__are_found() -> None:
    assert _alike(["#c22f2b", "#5a7a00"], "no red") or _alike(["#c22f2b", "#7a6a00"], "no green")
    assert _alike(["#1769c2", "#1a6bc4"], "all colours")


def test_curves__differ_in_colour_and_dashes_from_the_next_and_in_one_of_them_from_all() -> None:
    styles = [curve_style(i) for i in range(28)]
    assert len(set(styles)) == 28
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in itertools.pairwise(styles))


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([*np.linspace(-17, -13, 119), -72.0], -18.0, -12.0),
        ([-14.0] * 119 + [-72.0], -16.0, -12.0),
        ([-14.0] * 9 + [-72.0], -16.0, -12.0),
        ([-14.0] * 100 + [-15.0] * 19 + [-72.0], -16.0, -13.0),
        ([-10.0, -20.0, -72.0], -80.0, -5.0),  # of three none is far
        ([-3.0], -5.0, -2.0),
    ],
)
def test_axis__shows_all_that_is_near_and_nothing_that_is_far(values: list[float], low: float, high: float) -> None:
    found = limits(values)
    assert low <= found[0] < found[1] <= high
    assert found[0] < np.median(values) < found[1]
    kept = limits(values, keep=[-72.0])
    assert kept[0] < -72.0 and kept[1] == pytest.approx(found[1], abs=6.0), "but what is to be shown is"
