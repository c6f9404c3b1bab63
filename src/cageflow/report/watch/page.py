"""The player as a part of a page, and as a page of its own: one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from cageflow import __version__
from cageflow.files import write_whole
from cageflow.report.theme import css_variables
from cageflow.report.watch.data import data_text


@dataclass(frozen=True)
class Player:
    """The parts of a page that shows episodes.

    Attributes:
        markup: what stands in its body, the data included.
        style: CSS rules.
        script: JavaScript, for the end of the body.
    """

    markup: Markup
    style: Markup
    script: Markup

    @property
    def policy(self) -> str:
        """What a Content-Security-Policy says so that this script runs and no other."""
        digest = hashlib.sha256(self.script.encode()).digest()
        return f"script-src 'sha256-{base64.b64encode(digest).decode()}'"


def make_player(data: dict[str, Any]) -> Player:
    """The player of some episodes.

    Args:
        data: of `watch_data`.
    """
    markup = _templates().get_template("player").render(data=Markup(data_text(data)))
    return Player(Markup(markup), Markup(_text("player.css")), Markup(_text("player.js")))


def write_page(path: Path, data: dict[str, Any], title: str, facts: Sequence[str]) -> None:
    """Write a page of its own.

    Args:
        path: the file; its folder is made where it is missing.
        data: of `watch_data`.
        title: who plays whom.
        facts: of the game, in a few words each.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render_page(data, title, facts).encode())


def render_page(data: dict[str, Any], title: str, facts: Sequence[str]) -> str:
    """A page of its own as HTML; arguments as for `write_page`."""
    player = make_player(data)
    colours = Markup(
        f":root{{color-scheme:light dark;{css_variables(dark=False)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{css_variables(dark=True)}}}}}"
    )
    return (
        _templates()
        .get_template("page")
        .render(player=player, colours=colours, title=title, facts=facts, version=__version__)
    )


@cache
def _templates() -> Environment:
    loader = DictLoader({"page": _text("page.html.jinja"), "player": _text("player.html.jinja")})
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _text(name: str) -> str:
    return files("cageflow.report.watch").joinpath(name).read_text(encoding="utf-8")
