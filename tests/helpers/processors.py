"""One search on what passes for other processors: `python -m tests.helpers.processors [EPISODES]`.

Libraries are told to take the code that they have for older processors or for other numbers of threads, and Numba to
compile for one without AVX-512. Every figure of the logs and every policy must be the same to the last byte.
"""

from __future__ import annotations

import csv
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

IS_X86 = platform.machine() in ("x86_64", "AMD64")
OF_X86 = "the stand-ins are older x86-64 processors"
PLAIN = "this processor"
OLDER = {
    "PyTorch's oldest code": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL's oldest code": {"MKL_CBWR": "COMPATIBLE"},
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "NumPy without AVX-512": {
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL"
    },
    "Numba for Haswell": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+popcnt,+sse4.2",
    },
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
}
ALL_AT_ONCE = {name: value for settings in OLDER.values() for name, value in settings.items()}
CLOCK = {"Collection_Time", "Update_Time", "Simulation_Time", "Inference_Time", "Seconds"}
"""Columns that say how long something took."""


def figures_of(folder: Path, environment: dict[str, str], num_episodes: int) -> dict[str, object]:
    """What a search leaves behind: the rows of its logs without what the clock says, and its policies."""
    run = folder / "run"
    subprocess.run(
        [
            *(sys.executable, "-m", "cageflow", "search", "--quiet", "--seed", "3", "--red-agent", "bline"),
            *("--total-episodes", str(num_episodes), "--max-episodes-per-workflow", str(num_episodes // 4)),
            *("--evaluation-episodes", "30", "--executor", "inline", "--run-dir", str(run)),
        ],
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    figures: dict[str, object] = {path.name: path.read_bytes() for path in sorted((run / "policies").iterdir())}
    for path in sorted(run.glob("*.csv")):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        figures[path.name] = [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]
    return figures


BELIEFS = """
import numpy as np
from cageflow.scenario.orders import OrderSpace
from cageflow.search import StrategySettings, TrialResult, make_strategy
space, rng = OrderSpace(tuple("abcdef")), np.random.default_rng(1)
trials = tuple(
    TrialResult(order=space.unrank(int(rank)), reward=float(reward), reward_se=0.3, compliance=float(share),
                compliance_se=0.01, episodes=9, total_episodes=9, ending="threshold", seconds=1.0)
    for rank, reward, share in zip(rng.permutation(720)[:60], rng.normal(-20.0, 5.0, 60), rng.uniform(0.9, 1.0, 60))
)
for name, rungs in (("gp-ucb", ()), ("thompson", ()), ("curves", (3, 9))):
    strategy = make_strategy(name, space, StrategySettings(rungs=rungs))
    beliefs = strategy.choose(trials, (), np.random.default_rng(2)).acquisition
    for part in ("mean", "std", "ucb", "feasibility", "score"):
        print(name, part, getattr(beliefs, part).tobytes().hex())
"""
"""Prints what three strategies think of 720 orders after 60 made-up trials, to the last bit."""


def beliefs_of(environment: dict[str, str]) -> str:
    """What `BELIEFS` prints on what passes for another processor."""
    words = [sys.executable, "-c", BELIEFS]
    return subprocess.run(words, env=os.environ | environment, check=True, capture_output=True, text=True).stdout


def differing(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Names of the files in which two searches differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def main(num_episodes: int) -> int:
    """How many of the stand-ins differ."""
    wrong = 0
    reference: dict[str, object] = {}
    for name, environment in {PLAIN: {}, **OLDER, "all of these": ALL_AT_ONCE}.items():
        with tempfile.TemporaryDirectory() as folder:
            figures = figures_of(Path(folder), environment, num_episodes)
        figures["beliefs"] = beliefs_of(environment)
        reference = reference or figures
        differences = differing(reference, figures)
        wrong += bool(differences)
        print(f"{name}: {', '.join(differences) or 'the same'}", flush=True)
    return wrong


if __name__ == "__main__":
    if not IS_X86:
        sys.exit(f"{OF_X86}, and this is {platform.machine()}")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000))
