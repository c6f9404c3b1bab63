"""From sections to one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from cageflow import __version__
from cageflow.report.content import Page
from cageflow.report.drawing import Drawing
from cageflow.report.theme import css_variables
from cageflow.report.watch.page import make_player

PAGE_WIDTHS = (850, 600, 310)
"""In pixels: what a wide window has for a table, one of half a screen, and a telephone."""

LONG_NAME = re.compile(r"\w{17,}")
"""A name too long for the column of a telephone."""


def render(page: Page, drawings: Sequence[Drawing]) -> str:
    """The page as HTML.

    Args:
        page: what stands in it.
        drawings: of all its charts.
    """
    style = (
        _text("page.css")
        .replace("/* light */", css_variables(dark=False))
        .replace("/* dark */", css_variables(dark=True))
    )
    pictures = {
        drawing.chart.name: [Markup(drawing.inline(narrow)) for narrow in (False, True)] for drawing in drawings
    }
    player = None if page.watch is None else make_player(page.watch.data)
    return _template().render(
        page=page, page_widths=PAGE_WIDTHS, style=Markup(style), pictures=pictures, player=player, version=__version__
    )


def breakable(text: str) -> Markup:
    """Words in which a long name may be broken after a stroke, and need not be in the middle of a word."""
    return Markup(LONG_NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), str(escape(text))))


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["breakable"] = breakable
    return environment.from_string(_text("page.html.jinja"))


def _text(name: str) -> str:
    return files("cageflow.report").joinpath(name).read_text(encoding="utf-8")
