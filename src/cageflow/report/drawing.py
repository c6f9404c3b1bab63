"""From a chart to SVG in the page, and to SVG and PNG files.

Matplotlib rather than a library of interactive charts: a page stays at a few hundred kilobytes, prints, and needs no
script. A chart is drawn twice, for wide and for narrow windows, so that its letters stay as large as those around it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from cageflow.files import write_whole
from cageflow.report.content import Chart
from cageflow.report.theme import COLOURS, light
from cageflow.report.wording import number

WIDTHS = (840, 340)
"""Of a chart in pixels, wide and narrow."""
POINTS_PER_INCH = 72  # so that a pixel of the page is a point of the drawing
PNG_DPI = 144
MAX_LABEL = 22
"""Characters of a name beside a chart."""
LETTER, ROW_LETTERS, LEAST_SIZE = 6.9, 16, 6.5
"""Of a table's names: pixels of a letter, letters of a line, and the least size of what stands in its cells."""
UPRIGHT = 8
"""Letters that a column has room for, fewer than which have its name stand on end."""
FAR = 3.0
"""Distances between the quartiles beyond these from which a value is far."""
TIP = "tip:"
"""Begins the `gid` of an artist that shows the rest of it when it is pointed at."""

STYLE: Any = {
    "text.parse_math": False,  # a dollar sign in a host's name is a dollar sign
    "text.usetex": False,
    "svg.fonttype": "none",  # letters stay letters: small, sharp, to be searched and copied
    "svg.hashsalt": "cageflow",
    "font.family": "sans-serif",
    "font.size": 12.0,
    "axes.titlesize": 13.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 12.0,
    "xtick.labelsize": 11.0,
    "ytick.labelsize": 11.0,
    "legend.fontsize": 11.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1.0,
    "axes.edgecolor": light("line"),
    "axes.labelcolor": light("muted"),
    "axes.titlecolor": light("ink"),
    "axes.facecolor": "none",
    "figure.facecolor": light("paper"),
    "text.color": light("ink"),
    "xtick.color": light("line"),
    "ytick.color": light("line"),
    "xtick.labelcolor": light("muted"),
    "ytick.labelcolor": light("muted"),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": light("line"),
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.0,
    "path.simplify_threshold": 0.3,
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Drawing:
    """A chart that has been drawn.

    Attributes:
        chart: the chart.
        wide, narrow: SVG, in the light colours.
        png: the wide one, on white.
    """

    chart: Chart
    wide: str
    narrow: str
    png: bytes

    def inline(self, narrow: bool) -> str:
        """One of the two as an element of the page, in the page's colours and letters."""
        size = "narrow" if narrow else "wide"
        text = re.sub(r"<metadata>.*?</metadata>\s*", "", self.narrow if narrow else self.wide, flags=re.DOTALL)
        text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
        prefix = f"{self.chart.name}-{size}-"  # names are unique in a page, not in a drawing
        text = re.sub(r"<[^>]*>", lambda tag: _in_page(tag[0], prefix), text)  # words between tags stay as they are
        text = _with_tips(text, prefix)
        width, height = WIDTHS[narrow], self.chart.heights[narrow]
        body = text[text.index(">", text.index("<svg")) + 1 :]
        head = (
            f'<svg class="{size}" role="img" aria-label="{escape(self.chart.text)}" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">'
        )
        return re.sub(r"\n\s*", "\n", head + body).strip()

    def write_files(self, folder: Path) -> None:
        """Write the wide one as `NAME.svg` and `NAME.png`.

        Raises:
            OSError: a file cannot be written.
        """
        write_whole(folder / f"{self.chart.name}.svg", _with_tips(self.wide).encode())
        write_whole(folder / f"{self.chart.name}.png", self.png)


def draw(chart: Chart) -> Drawing:
    """Draw a chart in both sizes."""
    with mpl.rc_context(rc=STYLE), warnings.catch_warnings():
        # The page shows every letter, in the reader's own fonts; the PNG a box for those that Matplotlib's font lacks.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        wide, narrow = (_figure(chart, size) for size in (False, True))
        picture = io.BytesIO()
        wide.savefig(picture, format="png", dpi=PNG_DPI, metadata={"Software": None})
        return Drawing(chart, _svg(wide), _svg(narrow), picture.getvalue())


def _figure(chart: Chart, narrow: bool) -> Figure:
    size = (WIDTHS[narrow] / POINTS_PER_INCH, chart.heights[narrow] / POINTS_PER_INCH)
    figure = Figure(figsize=size, dpi=POINTS_PER_INCH)
    chart.draw(figure, narrow)
    layout = figure.get_layout_engine()
    if layout is not None:  # once, and not again for every file: it is most of the work
        layout.execute(figure)
        figure.set_layout_engine("none")
    return figure


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _in_page(tag: str, prefix: str) -> str:
    """A tag of a drawing as the page has it: short numbers, its colours and letters, names that are the drawing's."""
    if TIP in tag:
        return tag.replace('id="', f'id="{prefix}', 1)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), tag)
    tag = re.sub(r"font: (?:\w+ )*?((?:bold |\d+ )?[\d.]+px) [^;\"]*", r"font: \1 var(--font)", tag)
    tag = re.sub(r"font-family: [^;\"]*", "font-family: var(--font)", tag)
    for name, colour in COLOURS.items():
        tag = tag.replace(colour.light, f"var(--{name})")
    return re.sub(r'\b(id="|href="#|url\(#)', lambda found: f"{found[0]}{prefix}", tag)


def _with_tips(text: str, prefix: str = "") -> str:
    """What an artist says when it is pointed at, as the title of its group."""
    return re.sub(rf'<g id="{re.escape(prefix)}{TIP}([^"]*)">', r"<g><title>\1</title>", text)


def tip(words: str) -> str:
    """The `gid` of an artist that says these words when it is pointed at."""
    return TIP + words


def fitting(name: str) -> str:
    """A name of the user's as a chart has room for it: the middle of a long one left out."""
    if len(name) <= MAX_LABEL:
        return name
    half = (MAX_LABEL - 1) // 2
    return f"{name[: MAX_LABEL - 1 - half]}…{name[-half:]}"


def in_lines(name: str, letters: int, most: int = 2) -> str:
    """A name of the user's in lines of so many letters, broken after a stroke or a space where it has one.

    What `most` lines do not hold is left out in the middle.
    """
    room = letters * most
    if len(name) > room:
        name = f"{name[: room // 2]}…{name[len(name) - (room - room // 2 - 1) :]}"
    lines = [""]
    for part in re.findall(r"[^_\-./ ]*[_\-./ ]?", name):
        if lines[-1] and len(lines[-1]) + len(part) > letters:
            lines.append("")
        lines[-1] += part
    if len(lines) > most or max(map(len, lines)) > letters:  # its parts do not fit: it is broken anywhere
        lines = [name[i : i + letters] for i in range(0, len(name), letters)]
    return "\n".join(line.strip() for line in lines)


def limits(values: Sequence[float], room: float = 0.08, keep: Sequence[float] = ()) -> tuple[float, float]:
    """From where to where an axis reaches, so that a value far from all others does not crush them.

    Values are far that lie more than FAR times the distance between the quartiles beyond these (Tukey's outer fences).
    Where the quartiles are alike, the ends of a larger part of the values take their place; where nearly all values
    are, any other is far.

    Args:
        values: at least one finite number.
        room: left above and below, as a share.
        keep: of them, those that are shown however far they lie.
    """
    array = np.sort(np.asarray([value for value in values if np.isfinite(value)], np.float64))
    ends = [np.quantile(array, [share, 1.0 - share]) for share in (0.25, 0.1, 0.05, 0.02)]
    low, high = next((pair for pair in ends if pair[0] < pair[1]), ends[0])
    fence = FAR * (high - low)
    near = np.sort([*array[(array >= low - fence) & (array <= high + fence)], *keep])
    span = float(near[-1] - near[0]) or max(1.0, 0.1 * abs(float(near[0])))
    return float(near[0]) - room * span, float(near[-1]) + room * span


def mark_outliers(axes: Axes, x: Sequence[float], values: Sequence[float], ends: tuple[float, float]) -> None:
    """Draw what lies beyond the ends of an axis at its edge, the farthest with their figures."""
    low, high = ends
    for sign, edge, mark in ((-1, low, "v"), (1, high, "^")):
        beyond = [i for i, value in enumerate(values) if np.isfinite(value) and sign * value > sign * edge]
        if not beyond:
            continue
        axes.plot(
            [x[i] for i in beyond],
            [edge] * len(beyond),
            mark,
            ls="none",
            ms=7,
            color=light("amber"),
            clip_on=False,
            zorder=5,
        )
        named = sorted(beyond, key=lambda i: sign * values[i])[-1:]
        for i in named:
            axes.annotate(
                number(values[i], 0),
                (x[i], edge),
                xytext=(0, -9 * sign),
                textcoords="offset points",
                ha="right" if x[i] > np.mean(x) else "left",
                va="center",
                fontsize=10.0,
                zorder=5,
            )


def plain_ticks(axis: Axis) -> None:
    """Write the ticks of an axis as the page writes numbers."""

    def words(value: float, _: object) -> str:
        needed = (digits for digits in range(4) if abs(value - round(value, digits)) < 1e-9)
        return number(value, next(needed, 3))

    axis.set_major_formatter(words)


def shaded_grid(
    axes: Axes,
    shades: list[list[float | None]],
    words: list[list[str]],
    rows: list[str],
    columns: list[str],
    colour: str,
    size: float = 11.0,
) -> None:
    """Cells whose colour is the stronger the nearer their shade is to 1; those without a shade stay empty.

    Args:
        axes: to draw in.
        shades: (R, C) 0 to 1, or None.
        words: (R, C) what stands in the cells.
        rows: names, from above.
        columns: names.
        colour: of the theme.
        size: of the letters, smaller where the cells are narrow.
    """
    from matplotlib.patches import Rectangle

    names = [in_lines(name, ROW_LETTERS) for name in rows]
    beside = LETTER * max((len(line) for name in names for line in name.splitlines()), default=0)
    figure = axes.get_figure(root=True)
    assert figure is not None, "they are of a figure"
    cell = max(1.0, (figure.get_figwidth() * POINTS_PER_INCH - beside - 30.0) / len(columns))
    longest = max((len(part) for line in words for cell_words in line for part in cell_words.splitlines()), default=1)
    size = max(LEAST_SIZE, min(size, cell / (0.62 * max(longest, 1))))

    strongest = 0.55  # the words must stay legible, on a light and on a dark page
    for i, line in enumerate(shades):
        for j, shade in enumerate(line):
            corner, side = (j - 0.48, i - 0.46), (0.96, 0.92)
            if shade is None:
                axes.add_patch(Rectangle(corner, *side, facecolor="none", edgecolor=light("line"), linewidth=0.8))
                continue
            axes.add_patch(Rectangle(corner, *side, facecolor=light("panel")))
            axes.add_patch(Rectangle(corner, *side, facecolor=light(colour), alpha=strongest * shade))
            axes.text(j, i, words[i][j], ha="center", va="center", fontsize=size, linespacing=1.25)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    letters = int(cell / LETTER)
    if max(map(len, columns), default=0) <= letters or letters >= UPRIGHT:
        axes.set_xticks(range(len(columns)), [in_lines(name, letters, 3) for name in columns])
    else:
        axes.set_xticks(range(len(columns)), list(map(fitting, columns)), rotation=90)
    axes.set_yticks(range(len(rows)), names)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.xaxis.labelpad = 7.0
    axes.tick_params(length=0, labelcolor=light("ink"))
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
