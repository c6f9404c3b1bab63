"""From sections to one HTML file that needs nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from cageflow import __version__
from cageflow.report.content import Page
from cageflow.report.drawing import inline_svg
from cageflow.report.theme import css_variables


def render(page: Page) -> str:
    """The page as HTML."""
    style = (
        _text("page.css")
        .replace("/* light */", css_variables(dark=False))
        .replace("/* dark */", css_variables(dark=True))
    )
    pictures = {chart.name: [Markup(inline_svg(chart, narrow)) for narrow in (False, True)] for chart in page.charts}
    return _template().render(page=page, style=Markup(style), pictures=pictures, version=__version__)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_text("page.html.jinja"))


def _text(name: str) -> str:
    return files("cageflow.report").joinpath(name).read_text(encoding="utf-8")
