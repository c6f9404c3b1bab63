"""What a run has found out, to be compared with another's."""

import csv
import json
from pathlib import Path
from typing import Any

WALL_CLOCK = {"Collection_Time", "Update_Time", "Seconds", "Train_Seconds", "Evaluation_Seconds", "Check"}
WALL_CLOCK_ENTRIES = {"seconds", "train_seconds", "evaluation_seconds", "run_dir"}


def figures(run: Path) -> dict[str, Any]:
    """All figures of all tables of a run folder and of the folders in it, and all policies, by their places.

    Wall-clock times are left out, and in documents the columns that hold them.
    """
    found: dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.suffix == ".csv":
            with path.open(newline="") as file:
                found[name] = [{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)]
        elif path.suffix == ".safetensors":
            found[name] = path.read_bytes().replace(str(run).encode(), b"RUN")
        elif path.name in ("table.json", "answer.json", "recommendation.json"):
            found[name] = _timeless(json.loads(path.read_text().replace(str(run), "RUN")))
        elif path.name == "table.md":
            found[name] = path.read_text().count("\n")
    return found


def _timeless(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _timeless(value) for key, value in content.items() if key not in WALL_CLOCK_ENTRIES}
    return [_timeless(one) for one in content] if isinstance(content, list) else content
