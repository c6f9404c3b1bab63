"""The commands of the documents in a size that a test can wait for, with something for each placeholder."""

import os
import re
import shlex

import pytest

from cageflow.search import landscape_ranks

OPTIONS: dict[str, dict[str, str]] = {
    "search": {
        "--total-episodes": "40",
        "--max-episodes-per-workflow": "16",
        "--parallel-workflows": "1",
        "--evaluation-episodes": "6",
        "--episodes-per-update": "8",
    },
    "train": {"--total-episodes": "16", "--evaluation-episodes": "6", "--episodes-per-update": "8"},
    "universal": {"--total-episodes": "16", "--evaluation-episodes": "2", "--episodes-per-update": "8"},
    "champion": {"--total-episodes": "16", "--seed": "1", "--evaluation-episodes": "4"},
    "landscape": {
        "--max-episodes-per-workflow": "4",
        "--parallel-workflows": "1",
        "--evaluation-episodes": "2",
        "--episodes-per-update": "4",
    },
    "baseline": {"--total-episodes": "32", "--seed": "1", "--evaluation-episodes": "4"},
    "evaluate": {"--evaluation-episodes": "4"},
    "exploit": {"--total-episodes": "16", "--seed": "1", "--evaluation-episodes": "4"},
    "duel": {"--rounds": "1", "--blue-episodes": "16", "--red-episodes": "16", "--evaluation-episodes": "4"},
    "compare": {"--evaluation-episodes": "10", "--window": "8"},
    "report": {"--evaluation-episodes": "100"},
    "export": {"--evaluation-episodes": "4"},
    "regret": {"--repetitions": "2", "--trials": "3", "--n-workers": "1"},
    "play": {"--max-steps": "3"},
    "watch": {"--max-steps": "3"},
    "network import": {},
    "network generate": {},
    "network check": {},
    "network show": {},
    "parity": {},
    "bench sim": {"--num-envs": "64", "--repetitions": "1", "--num-threads": "1"},
    "bench collectors": {"--n-workers": "1", "--updates": "1", "--episodes-per-update": "4"},
    "bench train": {"--total-episodes": "100"},
    "bench peers": {"--episodes-per-update": "4", "--updates": "1", "--repetitions": "1"},
}
"""What each command is told of its size, in the place of what a document says."""

STANDS_FOR = {
    "runs/RUN": "made/universal",
    "RUN...": "made/search made/plain",
    "RUN": "made/search",
    "POLICY...": "made/plain react",
    "POLICY": "made/search/policies/best.safetensors",
    "FILE...": "made/recording.npz",
    "FILE.json": "made/team.json",
    "SCENARIO.yaml": "made/theirs.yaml",
    "NAME": "react",
    "landscape.csv": "made/universal/universal.csv",
    "...": "bline=random,meander=sleep",
}
"""What is put in the place of a word, or of the folder that a path begins with. The runs are those of conftest.py."""


def small(text: str) -> list[str]:
    """The arguments of a command of the documents, small.

    Raises:
        KeyError: the command is not in `OPTIONS`.
    """
    words = shlex.split(re.sub(r"^.*?\bcageflow ", "", re.sub(r"( --[a-z-]+)=", r"\1 ", text)))
    number = 2 if words[0] in ("bench", "network") else 1
    sizes = OPTIONS[" ".join(words[:number])]
    if "--rungs" in words:  # the last is the longest training
        sizes = {name: value for name, value in sizes.items() if name != "--max-episodes-per-workflow"} | {
            "--rungs": "4,8"
        }
    if "--final-episodes" in words:
        sizes = sizes | {"--final-episodes": "16"}
    words = words[:number] + shlex.split(" ".join(_filled_in(word) for word in words[number:]))
    if "--resume" not in words:  # what goes on has the size that it began with
        words += [word for name, value in sizes.items() if name not in words for word in (name, value)]
    return words[:1] + [sizes.get(before, word) for before, word in zip(words, words[1:], strict=False)]


def _filled_in(word: str) -> str:
    for name, value in STANDS_FOR.items():
        if word == name or word.startswith(f"{name}/"):
            return value + word[len(name) :]
    return shlex.quote(word)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small what no option makes small, in this process."""
    monkeypatch.setattr(os, "fsync", lambda file: None)  # half the time of a landscape
    monkeypatch.setattr("cageflow.settings.commands.landscape_ranks", lambda orders, _: landscape_ranks(orders, 3))
    monkeypatch.setattr("cageflow.cli.regret.CALIBRATION_SPLITS", 1)
    monkeypatch.setattr("cageflow.measure.calibration.TRAINING_SIZES", (10,))
    monkeypatch.setattr("cageflow.bench.simulator._compile_s", lambda: (1.0, 0.1))
    monkeypatch.setattr("cageflow.report.drawing.PNG_DPI", 20)
    monkeypatch.setattr("cageflow.analysis.standing.MOST_EPISODES", 4)
