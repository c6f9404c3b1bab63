"""All commands on one small network that has nothing of CAGE-2's: other unit types, fixes that take time, two crews.

`python -m tests.helpers.any_network FOLDER` writes what each command said to `FOLDER/said.json`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from cageflow.analysis import standing
from cageflow.export import check
from cageflow.report import drawing
from tests.e2e.command_line import cageflow
from tests.helpers.small_networks import made_network, ssh_host

TYPES = ("[/red]", "a/b", "db server")
ORDER = "db server,a/b,[/red]"
SIZES = ("--episodes-per-update", 4, "--max-steps", 6, "--evaluation-episodes", 2)
HERE = ("--max-episodes-per-workflow", 4, "--executor", "inline")
GAME = ("--network", "net.yaml", "--red-agent", "meander", "--seed", 1)

COMMANDS: dict[str, tuple[object, ...]] = {
    "check": ("network", "check", "net.yaml", "--json"),
    "show": ("network", "show", "net.yaml"),
    "search": ("search", *GAME, *SIZES, *HERE, "--total-episodes", 12, "--run-dir", "s"),
    "train": ("train", "--workflow", ORDER, *GAME, *SIZES, "--total-episodes", 4, "--run-dir", "t"),
    "plain": ("train", "--no-workflow", *GAME, *SIZES, "--total-episodes", 4, "--run-dir", "p"),
    "landscape": ("landscape", *GAME, *SIZES, *HERE, "--run-dir", "l", "--quiet"),
    "universal": (
        *("universal", *GAME, *SIZES, "--total-episodes", 4, "--run-dir", "u", "--against", "l/landscape.csv"),
        *("--workflow-mode", "rewarded"),
    ),
    "universal json": ("universal", *GAME, *SIZES, "--total-episodes", 4, "--run-dir", "u2", "--json", "--quiet"),
    "evaluate": ("evaluate", "s", "react", "--network", "net.yaml", "--evaluation-episodes", 2, "--max-steps", "4,5"),
    "baseline": ("baseline", "greedy", *GAME, "--max-steps", 6, "--evaluation-episodes", 2, "--run-dir", "b"),
    "champion": ("champion", "--network", "net.yaml", "--config", "small.yaml", "--seed", 1, "--evaluation-episodes", 2)
    + ("--rules", "v2.1", "--total-episodes", 4, "--n-workers", 1, "--run-dir", "c"),
    "compare": ("compare", "s", "p", "--evaluation-episodes", 10, "--window", 4),
    "report": ("report", "t", "--evaluation-episodes", 100),
    "export": ("export", "t", "--evaluation-episodes", 0, "--out", "t.onnx"),
    "play": ("play", "--blue", "t.onnx", "--network", "net.yaml", "--max-steps", 6),
    "watch": ("watch", "t", "--network", "net.yaml", "--max-steps", 60, "--episodes", 3, "--out", "watch.html"),
    "wrong number": ("train", "--workflow", 6, *GAME, "--run-dir", "no"),
    "wrong type": ("train", "--workflow", "user,a/b,[/red]", *GAME, "--run-dir", "no"),
}

REGRET = (
    *("regret", "l/landscape.csv", "--repetitions", 2, "--trials", 2, "--n-workers", 1, "--out", "r"),
    *("--compliance-threshold", 0.01),
)
"""Comes after these, compiled: it plays on no network, and what it thinks of orders takes a minute as plain Python."""


def network() -> dict[str, Any]:
    """The content of the network's file."""
    hosts = {
        "PC0": ssh_host("Front", unit_type=TYPES[0]),
        "PC1": ssh_host("Front", unit_type=TYPES[1], reveals=["Press"], durations={"restore": 4}),
        "Press": ssh_host("Front", unit_type=TYPES[2], service="Press", availability="much"),
    }
    fields = {"unit_types": list(TYPES), "durations": {"remove": 2, "restore": 3}, "crews": 2, "restore_cost": 0.5}
    return made_network(hosts, "Press", protocol={"max_steps": [4]}, **fields).scenario.model_dump(mode="json")


def walk(folder: Path) -> None:
    """Run all commands, one after the other, in a folder."""
    drawing.PNG_DPI, check.EPISODES, check.RANDOM_OBSERVATIONS, standing.MOST_EPISODES = 10, 1, 16, 2
    os.chdir(folder)
    Path("net.yaml").write_text(json.dumps(network()))
    Path("small.yaml").write_text(json.dumps({"max_steps": 6, "ppo": {"hidden_sizes": [8], "update_epochs": 1}}))
    said = {name: cageflow(*command)._asdict() for name, command in COMMANDS.items()}
    Path("said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    walk(Path(sys.argv[1]))
