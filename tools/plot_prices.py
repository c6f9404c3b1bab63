"""Draw what every order of some landscapes is worth beside plain PPO, a panel each: `docs/images/prices.png`.

python tools/plot_prices.py FILE.png LANDSCAPE...
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from cageflow.analysis.landscapes import OpenLandscape, open_landscape
from cageflow.report.content import Chart
from cageflow.report.drawing import draw
from cageflow.report.sections.prices import draw_prices

HEIGHT = 250


def title_of(one: OpenLandscape) -> str:
    """The network, the durations where they are not its own, and the attacker."""
    assert one.about is not None, "a shipped landscape says what it is of"
    network = one.about.scenario or "cage2"
    durations = "" if one.about.durations == "file" else f", durations {one.about.durations}"
    return f"{network}{durations}, {one.about.red_agent}"


def plot(file: Path, names: list[str]) -> None:
    """Write the picture."""
    opened = [open_landscape(name) for name in names]

    def panels(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots(len(opened), 1, squeeze=False).flatten()
        for panel, one in zip(axes, opened, strict=True):
            draw_prices(panel, narrow, one.differences())
            panel.set_title(title_of(one))
            panel.set_xlabel("")
        axes[-1].set_xlabel("rank")

    height = HEIGHT * len(opened)
    chart = Chart("prices", "Prices", "Prices", panels, (height, height))
    file.write_bytes(draw(chart).png)


if __name__ == "__main__":
    plot(Path(sys.argv[1]), sys.argv[2:])
