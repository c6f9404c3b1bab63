"""Made-up networks through the commands that a user would give, one after the other, in this process.

Run as a program it says what went wrong on which network: `python -m tests.helpers.lifecycle SEED...`, each a number or
a range such as 0-199. The rules run as plain Python where `NUMBA_DISABLE_JIT=1`, since every size is compiled anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cageflow.analysis import standing
from cageflow.export import check
from cageflow.report import drawing
from cageflow.scenario import Network, load_scenario
from cageflow.scenario.orders import show_order
from tests.e2e.command_line import cageflow
from tests.helpers.html import read_page
from tests.helpers.made_networks import write_network

REDS = ("bline", "switch", "random", "meander", "sleepy-meander", "sleep", "sleepy-bline", "late-bline")
SMALL = ("--total-episodes", 6, "--episodes-per-update", 3, "--evaluation-episodes", 3, "--max-steps", 6, "--quiet")


def live(folder: Path, seed: int) -> None:
    """Train, evaluate, report, export, play and watch on the network of a seed.

    Raises:
        AssertionError: a command failed, or an action's words do not lead back to it.
    """
    scenario = write_network(folder, seed)
    network = Network(load_scenario(scenario))
    codec = network.codec
    assert [codec.encode(name) for name in codec.names] == list(range(len(codec)))
    assert all(codec.hosts[codec.host[i]] in codec.describe(i) for i in range(2, len(codec)))
    run = folder / f"run{seed}"
    red = REDS[seed % len(REDS)]
    config = folder / f"config{seed}.yaml"
    config.write_text(json.dumps({"ppo": {"hidden_sizes": [8], "mask_actions": seed % 5 == 0}}))
    game = ("--config", config, "--scenario", scenario, "--red-agent", red)
    last = network.orders.unrank(len(network.orders) - 1)
    kind: tuple[Any, ...] = ("--workflow", show_order(last)) if seed % 2 else ("--no-workflow",)
    _call("train", *kind, *game, *SMALL, "--seed", seed, "--run-dir", run)
    _call("evaluate", run, "react", "--scenario", scenario, "--episodes", 2, "--max-steps", 5)
    _call("report", run, "--episodes", 100)
    _call("export", run, "--scenario", scenario, "--evaluation-episodes", 2, "--out", folder / f"{seed}.onnx")
    _call("play", "--blue", run, "--scenario", scenario, "--steps", 4, "--max-steps", 6, "--seed", seed)
    page = folder / f"watch{seed}.html"
    _call("watch", run, "--scenario", scenario, "--red-agent", red, "--max-steps", 12, "--green", "--out", page)
    assert read_page(page.read_text()).faults == []


def _call(*arguments: object) -> str:
    outcome = cageflow(*arguments)
    assert outcome.status == 0, f"cageflow {' '.join(map(str, arguments))}: {outcome.err or outcome.out}"
    assert "Traceback" not in outcome.out + outcome.err
    return outcome.out


def make_small() -> None:
    """Leave out of this process what takes long and has nothing to do with names or sizes."""
    os.fsync = lambda file: None  # type: ignore[assignment]
    drawing.PNG_DPI = 10
    check.EPISODES, check.RANDOM_OBSERVATIONS = 2, 64
    standing.MOST_EPISODES = 2


def main(arguments: Sequence[str]) -> int:
    """Live on the networks of some seeds; the number of those on which something went wrong."""
    warnings.simplefilter("error")
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        warnings.filterwarnings("ignore", "overflow encountered in scalar", RuntimeWarning)
    make_small()
    wrong = 0
    for argument in arguments:
        first, _, last = argument.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    live(Path(folder), seed)
                except Exception:
                    wrong += 1
                    print(f"network {seed}:", traceback.format_exc(), flush=True)
                else:
                    print(f"network {seed}: ok", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
