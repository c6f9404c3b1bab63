"""The colours of the page: by what they are for, light and dark.

Charts are drawn in the light ones. Where a chart stands in the page, each becomes the CSS variable of its name, so that
one drawing serves light and dark windows and the printer. No two may therefore be alike.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour, as `#rrggbb`, on a light and on a dark page."""

    light: str
    dark: str


COLOURS: dict[str, Colour] = {
    "ink": Colour("#1a1f26", "#e7eaee"),
    "muted": Colour("#57606b", "#a3adb8"),
    "faint": Colour("#8d97a3", "#7a8591"),  # marks of what matters less; no text
    "line": Colour("#d8dde3", "#343c46"),
    "paper": Colour("#ffffff", "#14181d"),
    "panel": Colour("#f5f7f9", "#1c2229"),
    "accent": Colour("#0b62b8", "#6db3f8"),
    "blue": Colour("#1769c2", "#5aa6f2"),
    "teal": Colour("#0f7f74", "#3fc1b2"),
    "amber": Colour("#a86200", "#e8a33d"),
    "red": Colour("#c22f2b", "#f47e76"),
    "violet": Colour("#7a4bbd", "#b694f0"),
    "rose": Colour("#b03a7b", "#ee8fc0"),
    "vermilion": Colour("#b23a00", "#f26a21"),
    "green": Colour("#009e73", "#1fb98f"),
    "purple": Colour("#cc79a7", "#e88fc4"),
    "orange": Colour("#c78a00", "#f7d24a"),
    "sky": Colour("#3d9fd6", "#a6defc"),
}

SERIES = ("blue", "vermilion", "green", "purple", "orange", "sky", "ink")
"""Of curves, in the order in which they are given away: the palette of Okabe and Ito, which people tell apart who see
no red or no green, a little darker where it is pale on white."""

Dashes = str | tuple[float, tuple[float, ...]]
DASHES: tuple[Dashes, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.6, 1.2, 1.6)))
"""Of curves, so that they are told apart without colour too."""


def curve_style(i: int) -> tuple[str, Dashes]:
    """Colour and dashes of curve number i, alike in no two of the first 28."""
    return light(SERIES[i % len(SERIES)]), DASHES[i % len(DASHES)]


def light(name: str) -> str:
    """The colour that charts are drawn in."""
    return COLOURS[name].light


def css_variables(dark: bool) -> str:
    """Declarations of all colours."""
    return "".join(f"--{name}:{colour.dark if dark else colour.light};" for name, colour in COLOURS.items())
