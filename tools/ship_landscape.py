"""Make the shipped files of a landscape from the folder of its run: a table, and beside it what it was made with.

    python tools/ship_landscape.py RUN NAME [--plain FILE ...] [--long FILE ...] [--worth FILE ...]

`--plain` are trainings of plain PPO, where the run was stopped before it had its own, `--long` some with a greater
budget, `--worth` trainings of the order by worth, where the run has but a sample of the orders: files of what
`cageflow train --json` printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cageflow.analysis.beside import BY_WORTH, PLAIN, PLAIN_LONG, beside_landscape
from cageflow.csv_format import csv_text
from cageflow.scenario import NETWORK_NAMES
from cageflow.search.landscape import LANDSCAPE, WITHOUT_NETWORK, NumberedRow, read_landscape
from cageflow.search.landscape_about import FIELDS

FOLDER = Path(__file__).parents[1] / "src" / "cageflow" / "data" / "landscapes"
MORE = ("evaluation_episodes", "preset", "seed", "observation", "green", "compliance_definition", "about")
"""What stands in the file besides what is read from it: what it takes to make the table again."""
VERSIONS = ("cageflow", "numba_target", "started")


def ship(run: Path, name: str, plain: Sequence[Path], long: Sequence[Path], worth: Sequence[Path]) -> None:
    """Write both files; a network must be a shipped one, since no other would be there to be read."""
    settings = json.loads((run / "config.json").read_text())
    scenario = settings["scenario"]
    if scenario is not None and scenario not in NETWORK_NAMES:
        raise SystemExit(f"{run} was made on {scenario}: expected one of {', '.join(NETWORK_NAMES)}")
    about: dict[str, Any] = {key: settings[key] for key in (*FIELDS, *MORE)}
    about["about"] = {key: settings["about"][key] for key in VERSIONS}
    about["network"] = {key: settings["network"][key] for key in ("name", "fingerprint")}
    own = beside_landscape(run / "landscape.csv", PLAIN)
    if own is not None:
        about[PLAIN] = _entry(own.rewards, own.rewards_se, own.episodes)
    for kind, runs in ((PLAIN, plain), (PLAIN_LONG, long), (BY_WORTH, worth)):
        if runs:
            about[kind] = _came_to(runs)
    table = read_landscape(run / "landscape.csv")
    rows = sorted(table.rows, key=lambda row: (table.space.rank(row.order), row.seed, row.episodes))
    lines = [LANDSCAPE.cells(NumberedRow(table.space.rank(row.order), row))[:-1] for row in rows]
    (FOLDER / f"{name}.csv").write_text(csv_text([WITHOUT_NETWORK, *lines]))
    (FOLDER / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")


def _came_to(files: Sequence[Path]) -> dict[str, Any]:
    """What trainings came to, by what `cageflow train --json` printed: one object a line, in files."""
    printed = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    rewards, errors = [one["reward"] for one in printed], [one["reward_se"] for one in printed]
    return _entry(rewards, errors, printed[0]["episodes"])


def _entry(rewards: Sequence[float], errors: Sequence[float], episodes: int) -> dict[str, Any]:
    return {
        "rewards": [round(one, 4) for one in rewards],
        "rewards_se": [round(one, 4) for one in errors],
        "episodes": episodes,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--plain", type=Path, nargs="*", default=[])
    parser.add_argument("--long", type=Path, nargs="*", default=[])
    parser.add_argument("--worth", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    ship(given.run, given.name, given.plain, given.long, given.worth)
