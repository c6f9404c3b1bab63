"""A game as a picture: every host in its subnet, what blue sees of it beside the truth, and who did what last.

Drawn with Pillow and not with Matplotlib: a video has hundreds of pictures, and every one is drawn from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from cageflow.envs.rendering import Scene, blue_words, describe_success
from cageflow.scenario import Network
from cageflow.scenario.layout import Layout, Place, Sizes, groups_of, lay_out
from cageflow.scenario.schema import Scenario
from cageflow.sim.enums import Activity, Compromise

Colour = tuple[int, int, int]

INK, GREY, LINE, PAPER, PANEL = (28, 32, 38), (104, 112, 122), (196, 202, 210), (255, 255, 255), (243, 245, 248)
BLUE, GREEN, RED = (25, 95, 205), (40, 130, 70), (200, 30, 40)
LEVELS: dict[str, Colour] = {
    "none": (222, 240, 226),
    "unknown": (255, 240, 178),
    "user": (255, 205, 148),
    "privileged": (246, 158, 152),
}
"""Colour of a host by the level at which red has it, or is believed to have it."""

MARGIN, GAP = 16, 10
SIZES = Sizes(card_width=226, card_height=118, gutter=GAP, pad=8, title=34)
HEADER_HEIGHT, LEGEND_HEIGHT = 134, 40
FEW_HOSTS, FEW_COLUMNS, MANY_COLUMNS = 20, 6, 8


def draw(scene: Scene) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8: the whole scene; its size depends on the network alone."""
    network, last = scene.network, scene.last
    layout = map_of(network.scenario)
    image = Image.new("RGB", (layout.width, layout.height), PAPER)
    canvas = ImageDraw.Draw(image)
    _draw_header(canvas, layout, scene)
    for subnet, place in layout.panels.items():
        _draw_panel(canvas, place, network, subnet, subnet == last.red_subnet)
    bits = np.asarray(scene.observation).astype(int).reshape(-1, 4).tolist()
    for (host, facts), seen in zip(scene.truth.items(), bits, strict=True):
        place = layout.cards[host]
        _draw_card(canvas, place, network, host, seen, facts)
        _draw_frames(canvas, place, host == last.blue_host, host == last.red_host)
    _draw_legend(canvas, layout)
    return np.array(image)


def map_of(scenario: Scenario) -> Layout:
    """Where everything stands in the picture of a network: its map, below the words on the step."""
    columns = FEW_COLUMNS if len(scenario.hosts) <= FEW_HOSTS else MANY_COLUMNS
    plan = lay_out(groups_of(scenario), columns, SIZES)
    height = HEADER_HEIGHT + plan.height + LEGEND_HEIGHT
    panels, cards = (
        {
            name: place._replace(left=place.left + MARGIN - GAP, top=place.top + HEADER_HEIGHT)
            for name, place in of.items()
        }
        for of in (plan.panels, plan.cards)
    )
    width = plan.width + 2 * (MARGIN - GAP)
    return Layout(width + width % 2, height + height % 2, panels, cards)  # even, as video codecs want them


def _draw_header(canvas: ImageDraw.ImageDraw, layout: Layout, scene: Scene) -> None:
    last = scene.last
    title = f"step {last.number} of {scene.max_steps}"
    canvas.text((MARGIN, 12), title, INK, _font(26, True))
    left = MARGIN + int(_font(26, True).getlength(title)) + 28
    money = f"reward {last.reward:.1f}     return {scene.episode_return:.1f}"
    canvas.text((left, 18), money, INK, _font(19))
    left += int(_font(19).getlength(money)) + 28
    name = _fitting(scene.network.scenario.name, 15, layout.width - MARGIN - left)
    canvas.text((layout.width - MARGIN, 22), name, GREY, _font(15), anchor="ra")
    rows = (
        ("blue", BLUE, blue_words(scene.network, last)),
        ("green", GREEN, last.green_action),
        ("red", RED, f"{last.red_action}{describe_success(last.red_success)}"),
    )
    for i, (side, colour, words) in enumerate(rows):
        top = 50 + 28 * i
        canvas.rounded_rectangle((MARGIN, top, MARGIN + 62, top + 23), 4, colour)
        canvas.text((MARGIN + 31, top + 11), side, PAPER, _font(15, True), anchor="mm")
        fitting = _fitting(words, 17, layout.width - 2 * MARGIN - 76)
        canvas.text((MARGIN + 76, top + 1), fitting, INK, _font(17))


def _draw_panel(canvas: ImageDraw.ImageDraw, place: Place, network: Network, subnet: str, is_target: bool) -> None:
    canvas.rounded_rectangle(place.box(), 8, PANEL, RED if is_target else LINE, 3 if is_target else 1)
    room = place.width - 2 * GAP
    title = _fitting(subnet, 17, room, True)
    canvas.text((place.left + GAP, place.top + 7), title, INK, _font(17, True))
    guards = network.scenario.subnets[subnet].guarded_by
    used = int(_font(17, True).getlength(title)) + 14
    if guards and room - used > 60:
        words = _fitting(f"entered from {', '.join(guards)}", 13, room - used)
        canvas.text((place.left + GAP + used, place.top + 11), words, GREY, _font(13))


def _draw_card(
    canvas: ImageDraw.ImageDraw, place: Place, network: Network, host: str, seen: list[int], facts: dict[str, Any]
) -> None:
    canvas.rounded_rectangle(place.box(), 6, PAPER, LINE)
    left, top, room = place.left + 9, place.top + 6, place.width - 18
    content = network.scenario.hosts[host]
    worth = network.scenario.values[content.confidentiality]
    kind = _fitting(f"{content.unit_type} {worth:g}" if worth else content.unit_type, 12, room // 2, keep_last=4)
    canvas.text((left + room, top + 3), kind, GREY, _font(12), anchor="ra")
    name = _fitting(host, 15, room - int(_font(12).getlength(kind)) - 8, True, keep_last=6)
    canvas.text((left, top), name, INK, _font(15, True))

    activity = Activity(seen[0] + 2 * seen[1]).name.lower()
    belief = Compromise(seen[2] + 2 * seen[3]).name.lower()
    belief = "none" if belief == "no" else belief
    num_sessions = facts["user_sessions"] + facts["privileged_sessions"]
    sessions = "" if num_sessions == 0 else "1 session" if num_sessions == 1 else f"{num_sessions} sessions"
    half = (room - 6) // 2
    tiles = (
        ("blue sees", belief, "" if activity == "none" else f"{activity}!", BLUE),
        ("truth", facts["access"], sessions, INK),
    )
    for i, (caption, level, words, colour) in enumerate(tiles):
        tile = Place(left + i * (half + 6), top + 38, half, 42)
        canvas.text((tile.left + 1, tile.top - 15), caption, GREY, _font(11))
        canvas.rounded_rectangle(tile.box(), 4, LEVELS[level])
        canvas.text((tile.left + 6, tile.top + 3), "no access" if level == "none" else level, INK, _font(14, True))
        canvas.text((tile.left + 6, tile.top + 22), _fitting(words, 13, half - 10), colour, _font(13))

    pen = left
    for words, colour in _notes(network, host, facts):
        fitting = _fitting(words, 12, left + room - pen)
        canvas.text((pen, top + 86), fitting, colour, _font(12))
        pen += int(_font(12).getlength(fitting)) + 10


def _notes(network: Network, host: str, facts: dict[str, Any]) -> Iterator[tuple[str, Colour]]:
    """The truth that is not in the tiles, the most urgent first."""
    if facts["service_running"] is not None:
        service = network.scenario.hosts[host].service or "service"
        yield (f"{service} runs", GREY) if facts["service_running"] else (f"{service} STOPPED", RED)
    if facts["malware"]:
        yield "malware", RED
    if facts["decoys"]:
        yield f"decoys: {', '.join(facts['decoys'])}", GREEN


def _draw_frames(canvas: ImageDraw.ImageDraw, place: Place, is_blues: bool, is_reds: bool) -> None:
    colours = [colour for colour, is_target in ((BLUE, is_blues), (RED, is_reds)) if is_target]
    for i, colour in enumerate(colours):  # one within the other where both aim at the same host
        canvas.rounded_rectangle(place.box(3 * i), 6, None, colour, 3)


def _draw_legend(canvas: ImageDraw.ImageDraw, layout: Layout) -> None:
    top = layout.height - LEGEND_HEIGHT + 14
    pen = MARGIN
    swatches: list[tuple[str, Colour | None, Colour]] = [
        ("no access", LEVELS["none"], LINE),
        ("blue does not know", LEVELS["unknown"], LINE),
        ("red is a user", LEVELS["user"], LINE),
        ("red is privileged", LEVELS["privileged"], LINE),
        ("blue's last target", None, BLUE),
        ("red's last target", None, RED),
    ]
    for words, fill, outline in swatches:
        canvas.rounded_rectangle((pen, top, pen + 22, top + 15), 3, fill, outline, 1 if fill else 3)
        canvas.text((pen + 29, top), words, INK, _font(13))
        pen += 29 + int(_font(13).getlength(words)) + 24


@lru_cache(maxsize=32)
def _font(size: int, is_bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


@lru_cache(maxsize=4096)
def _fitting(words: str, size: int, width: int, is_bold: bool = False, keep_last: int | None = None) -> str:
    """As much of some words as a line of that width holds, without what a font cannot show.

    Args:
        words: that are to stand there.
        size: of the font.
        width: in pixels.
        is_bold: of the font.
        keep_last: letters at the end that are kept, which often tell one name from another.
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    font = _font(size, is_bold)
    if font.getlength(words) <= width:
        return words
    num_last = 0 if keep_last is None else min(keep_last, len(words) // 2)
    first, last = words[: len(words) - num_last], words[len(words) - num_last :]
    while first and font.getlength(f"{first}…{last}") > width:
        first = first[:-1]
    return f"{first.rstrip()}…{last}"
