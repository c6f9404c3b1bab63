"""Draw the curves and prices that the documents show, from shipped landscapes and from runs of their own.

python -m tools.draw_figures docs/images                          all
python -m tools.draw_figures docs/images regret                   one of them
python -m tools.draw_figures docs/images prices cage2-bline ...   of these landscapes
python -m tools.draw_figures docs/images champion_curves RUN ...  of these runs, which stand elsewhere

What is run for them stands in build/figures, is kept, and goes on where it was stopped.
"""

import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

from matplotlib.figure import Figure

from cageflow.analysis.landscapes import OpenLandscape, open_landscape
from cageflow.cli import app
from cageflow.report.compare.curves import curves_chart
from cageflow.report.compare.groups import read_groups
from cageflow.report.content import Chart
from cageflow.report.drawing import draw
from cageflow.report.regret_chart import read_panels, regret_chart
from cageflow.report.sections.prices import draw_prices

RUNS = Path("build/figures")
SEEDS = (1, 2, 3)
PRICES = ("cage2-cage4-meander", "cage2-bline", "plant-meander", "clinic-meander")
REGRET = ("cage2-cage4-meander",)
CONTENDERS = "curves,gp-ucb,asha,random,round-robin"
REPETITIONS = 10
PRICES_HEIGHT = 220
WEIGHTS = (5, 30)
EXAMPLE = (
    *("--workflow", "enterprise,op_server,op_host,user,defender", "--workflow-mode", "rewarded"),
    *("--compliance-threshold", "1", "--total-episodes", "2000"),
)
"""Of `docs/compare.md`."""


def prices(names: Sequence[str]) -> Chart:
    """What every order of some landscapes is worth beside plain PPO, a panel each."""
    opened = [open_landscape(name) for name in names or PRICES]

    def panels(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots(len(opened), 1, squeeze=False).flatten()
        for panel, one in zip(axes, opened, strict=True):
            draw_prices(panel, narrow, one.differences())
            panel.set_title(title_of(one))
            panel.set_xlabel("")
        axes[-1].set_xlabel("rank")

    height = PRICES_HEIGHT * len(opened)
    return Chart("prices", "Prices", "Prices", panels, (height, height))


def regret(names: Sequence[str]) -> Chart:
    """The regret of strategies replayed on landscapes."""
    rows = []
    for name in names or REGRET:
        folder = RUNS / f"{name}-regret"
        if not (folder / "regret.csv").exists():
            who = ("--strategy", CONTENDERS, "--kernel", "evidence", "--repetitions", str(REPETITIONS))
            type_in("regret", name, *who, "--out", str(folder))
        rows.append(read_panels(title_of(open_landscape(name)), folder / "regret.csv"))
    return regret_chart(rows)


def learning_curves(runs: Sequence[str]) -> Chart:
    """Plain PPO against both scripts."""
    made = [
        train(f"plain-{red}-{seed}", "--no-workflow", "--red-agent", red, "--total-episodes", "100000", seed=seed)
        for red, seed in product(("meander", "bline"), () if runs else SEEDS)
    ]
    return curves_of([*map(Path, runs), *made])


def compare_curves(runs: Sequence[str]) -> Chart:
    """The example of `docs/compare.md`."""
    made = [
        train(f"lambda{weight}-{seed}", *EXAMPLE, "--alignment-lambda", str(weight), seed=seed)
        for weight, seed in product(WEIGHTS, () if runs else SEEDS)
    ]
    return curves_of([*map(Path, runs), *made])


def champion_curves(runs: Sequence[str]) -> Chart:
    """The trainings of the champion under both rule sets."""
    folder = RUNS / "champion"
    if not runs:
        seeds = ",".join(map(str, SEEDS))
        begun = (folder / "champion.json").exists()
        type_in("champion", *(["--resume", str(folder)] if begun else ["--seed", seeds, "--run-dir", str(folder)]))
    return curves_of([*map(Path, runs)] or sorted(path for path in folder.glob("seed*-*") if path.is_dir()))


FIGURES: dict[str, Callable[[Sequence[str]], Chart]] = {
    make.__name__: make for make in (prices, regret, compare_curves, learning_curves, champion_curves)
}


def title_of(one: OpenLandscape) -> str:
    """The network, the durations where they are not its own, and the attacker."""
    assert one.about is not None, "a shipped landscape says what it is of"
    network = one.about.scenario or "cage2"
    durations = "" if one.about.durations == "file" else f", durations {one.about.durations}"
    return f"{network}{durations}, {one.about.red_agent}"


def train(name: str, *settings: str, seed: int) -> Path:
    """The folder of a finished training."""
    folder = RUNS / name
    if (folder / "config.json").exists():
        type_in("train", "--resume", str(folder))
    else:
        type_in("train", *settings, "--seed", str(seed), "--run-dir", str(folder))
    return folder


def type_in(*words: str) -> None:
    """Run a command of cageflow."""
    app(list(words), standalone_mode=False)


def curves_of(runs: Sequence[Path]) -> Chart:
    """The learning curves of runs, grouped as `cageflow compare` groups them."""
    chart = curves_chart(read_groups(runs))
    assert chart is not None, "these runs kept a log"
    return chart


def main(pictures: str, what: str | None = None, *of: str) -> None:
    """Draw the pictures."""
    for name in FIGURES if what is None else (what,):
        (Path(pictures) / f"{name}.png").write_bytes(draw(FIGURES[name](of)).png)


if __name__ == "__main__":
    main(*sys.argv[1:])
