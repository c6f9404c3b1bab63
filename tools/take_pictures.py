"""Take the pictures of pages that the documents show, in a Chromium without a window.

python -m tools.take_pictures docs/images              all
python -m tools.take_pictures docs/images watch        of an episode alone
python -m tools.take_pictures docs/images report RUN   of a run's report; without RUN of `make search`
"""

import re
import shlex
import sys
import tempfile
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from cageflow.cli import app
from tests.helpers.browser import Browser, find_browser, open_browser

EPISODE = ("champion-ordered", "--red-agent", "meander", "--green", "--seed", "43")
STEP = 62


class Picture(NamedTuple):
    """A picture of a window.

    Attributes:
        width, height: of the window.
        scale: pixels of the picture for one of the window.
        dark: whether the reader prefers dark pages.
        above: the element at whose top it begins; empty for that of the page.
    """

    width: int
    height: int
    scale: float = 1.0
    dark: bool = False
    above: str = ""


WATCH = {"watch": Picture(1240, 760, 1.5), "watch_narrow": Picture(400, 860, dark=True)}
REPORT = {
    "report_light": Picture(1000, 860),
    "report_dark": Picture(1000, 760, dark=True, above="#rules"),
    "report_phone": Picture(400, 860, above="#standing"),
}


def take(browser: Browser, page: Path, pictures: dict[str, Picture], folder: Path, then: str = "0") -> None:
    """Take pictures of a page, each after an expression was evaluated in it."""
    for name, picture in pictures.items():
        browser.open(page, width=picture.width, height=picture.height, dark=picture.dark)
        browser.evaluate(then)
        top = 0.0
        if picture.above:
            top = browser.evaluate(f"document.querySelector('{picture.above}').getBoundingClientRect().top + scrollY")
        clip = {"x": 0, "y": top, "width": picture.width, "height": picture.height, "scale": picture.scale}
        answer = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=top > 0, clip=clip)
        image = Image.open(BytesIO(b64decode(answer["data"]))).convert("RGB").quantize(256)
        image.save(folder / f"{name}.png", optimize=True)


def take_watch(browser: Browser, folder: Path, _: Path | None) -> None:
    """A step of an episode."""
    with tempfile.TemporaryDirectory() as made:
        page = Path(made) / "watch.html"
        app(["watch", *EPISODE, "--out", str(page)], standalone_mode=False)
        step = (
            f"(s => {{ s.value = {STEP}; s.dispatchEvent(new Event('input')); }})(document.querySelector('.w-slider'))"
        )
        take(browser, page, WATCH, folder, step)


def take_report(browser: Browser, folder: Path, run: Path | None) -> None:
    """The report of a run, or of the search of `make search`."""
    with tempfile.TemporaryDirectory() as made:
        if run is None:
            run = Path(made) / "search"
            settings = re.search(r"^SEARCH_ARGS \?= (.*)$", Path("Makefile").read_text(), re.MULTILINE)
            assert settings is not None, "the Makefile says what it searches"
            app(["search", *shlex.split(settings[1]), "--run-dir", str(run)], standalone_mode=False)
        page = Path(made) / "report.html"
        app(["report", str(run), "--out", str(page)], standalone_mode=False)
        take(browser, page, REPORT, folder)


MAKERS: dict[str, Callable[[Browser, Path, Path | None], None]] = {"watch": take_watch, "report": take_report}


def main(pictures: str, what: str | None = None, run: str | None = None) -> None:
    """Take the pictures."""
    program = find_browser()
    if program is None:
        sys.exit("no Chromium was found")
    with open_browser(program) as browser:
        for make in MAKERS.values() if what is None else (MAKERS[what],):
            make(browser, Path(pictures), None if run is None else Path(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
