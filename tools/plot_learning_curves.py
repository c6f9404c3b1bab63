"""Draw the learning curves of saved runs: mean episode return against episodes, one line for each run.

    python tools/plot_learning_curves.py curves.png "RedMeanderAgent=runs/m1,runs/m2" "B_lineAgent=runs/b1"

Each argument after the picture is a panel: its title and the folders of its runs.
"""

import csv
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

TARGETS = {"RedMeanderAgent": -18.24, "B_lineAgent": -17.99}


def read_curve(run: Path) -> tuple[list[int], list[float]]:
    """Episodes and mean returns of the updates of a run."""
    with (run / "training_log.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [int(row["Run_Episodes"]) for row in rows], [float(row["Env_Reward"]) for row in rows]


def main(picture: str, *panels: str) -> None:
    """Draw the picture."""
    figure, axes = plt.subplots(1, len(panels), figsize=(5.2 * len(panels), 3.6), squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        title, _, runs = panel.partition("=")
        for run in runs.split(","):
            axis.plot(*read_curve(Path(run)), lw=0.8, label=Path(run).name)
        if title in TARGETS:
            axis.axhline(TARGETS[title], color="black", lw=0.8, ls="--", label=f"prototype, {TARGETS[title]}")
        axis.set(title=title, xlabel="episodes", ylabel="mean return of an update's episodes", ylim=(-60, -8))
        axis.legend(fontsize=7, loc="lower right")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
