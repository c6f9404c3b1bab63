"""Take the pictures of `cageflow watch` that the documents show: a step of an episode, in a Chromium without a window.

python -m tools.take_watch_picture docs/images
"""

import sys
import tempfile
from base64 import b64decode
from io import BytesIO
from pathlib import Path

from PIL import Image

from cageflow.cli import app
from tests.helpers.browser import find_browser, open_browser

EPISODE = ("champion-ordered", "--red-agent", "meander", "--green", "--seed", "14")
STEP = 70
PICTURES = {"watch": (1240, 760, 1.5, False), "watch_narrow": (400, 860, 1.0, True)}
"""By name: width and height of the window, pixels of the picture for one of the window, whether it is dark."""


def main(pictures: str) -> None:
    """Take the pictures."""
    program = find_browser()
    if program is None:
        sys.exit("no Chromium was found")
    with tempfile.TemporaryDirectory() as folder, open_browser(program) as browser:
        page = Path(folder) / "watch.html"
        app(["watch", *EPISODE, "--out", str(page)], standalone_mode=False)
        for name, (width, height, scale, dark) in PICTURES.items():
            browser.open(page, width=width, height=height, dark=dark)
            browser.evaluate(
                f"(s => {{ s.value = {STEP}; s.dispatchEvent(new Event('input')); }})"
                "(document.querySelector('.w-slider'))"
            )
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
            answer = browser.call("Page.captureScreenshot", format="png", clip=clip)
            image = Image.open(BytesIO(b64decode(answer["data"]))).convert("RGB").quantize(256)
            image.save(Path(pictures) / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
