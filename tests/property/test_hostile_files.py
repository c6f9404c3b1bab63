"""Whatever a file that a user hands in holds: it is read, or refused in a sentence, and nothing else happens.

A valid file of each format is broken in ways that a disk, an editor or a bad will breaks it.
"""

import json
import random
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.agents.exported import read_card
from cageflow.agents.foreign.sb3_model import algorithm_of
from cageflow.agents.team import read_team, write_team
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.parity.recording import Recording, RecordingMeta, empty_arrays, load_recording, save_recording
from cageflow.runs.layout import RECOMMENDATION
from cageflow.runs.log_file import read_log
from cageflow.runs.logs import LOGS, UPDATES
from cageflow.runs.recommendation import FinalTraining, SavedRecommendation, read_recommendation, write_recommendation
from cageflow.runs.saved_run import read_run
from cageflow.scenario import UNIT_TYPES, default_network
from cageflow.scenario.schema import load_scenario
from cageflow.search.landscape import read_landscape
from cageflow.settings.commands import SearchConfig, TrainConfig
from cageflow.settings.reading import make_config, read_config
from cageflow.studies.baselines import read_settings
from cageflow.training.state_file import load_state, save_state
from cageflow.training.trainer import FreshEvaluation
from cageflow.workflow.tested import OrderTests
from tests.helpers.agents import policy_file

JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1,
        2**63,
        -(2**70),
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "\x1b[31m",
        "n" * 5000,
        "../..",
    ),
    *([], {}, [[]], {"": None}, [1] * 300, "2026-99-99", "9" * 5000),
)
BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    b"9" * 5000,
    b"[" * 5000,
    b"{" * 500,
    b"\n",
    b"\r",
    b'"',
    b",,,",
    b"- &a *a",
    b": ",
)


def broken_bytes(content: bytes, rng: random.Random) -> bytes:
    """The content with one to three things wrong."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data) + 1)
        end = min(len(data), place + rng.choice((1, 1, 8, 100)))
        kind = rng.randrange(6)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[place:end]
        elif kind == 2:
            data[place:place] = rng.choice(BYTES)
        elif kind == 3:
            data[place:place] = data[place:end] * rng.choice((1, 3))
        elif kind == 4:
            data[place:end] = rng.randbytes(end - place)
        else:
            del data[place:]
    return bytes(data)


def broken_json(content: bytes, rng: random.Random) -> bytes:
    """The same where one value of it is another."""
    data = json.loads(content)
    at = data
    while True:
        key = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
        if isinstance(at[key], dict | list) and at[key] and rng.random() < 0.7:
            at = at[key]
            continue
        at[key] = rng.choice(JUNK)
        return json.dumps(data).encode()


def broken_cells(content: bytes, rng: random.Random) -> bytes:
    """A table where one cell is another."""
    lines = content.decode().splitlines()
    row = rng.randrange(len(lines))
    cells = lines[row].split(",")
    cells[rng.randrange(len(cells))] = rng.choice(("", "-1", "nan", "inf", "1e999", "9" * 5000, "x>y", "\x1b[31m", '"'))
    lines[row] = ",".join(cells)
    return "\n".join(lines).encode() + b"\n"


class Format:
    """A kind of file.

    Args:
        read: reads one, given its path.
        name: of the file.
        write: writes a valid one.
        ways: to break it.
    """

    def __init__(self, read: Callable[[Path], Any], name: str, write: Callable[[Path], Any], *ways: Any) -> None:
        self.read, self.name, self.write = read, name, write
        self.ways = (broken_bytes, *ways)


def _recording(path: Path) -> None:
    arrays = empty_arrays(default_network(), 1, 3)
    save_recording(path, Recording(meta=RecordingMeta("v2.1", "B_lineAgent", "sleep", 0, False), **arrays))


def _run_json(path: Path) -> None:
    path.write_text(json.dumps({**SearchConfig().to_json(), "about": {"python": "3"}}))


def _baseline_json(path: Path) -> None:
    content = {"name": "sleep", "seeds": [0, 1]}
    path.write_text(json.dumps(content))


def _log(path: Path) -> None:
    cells = ["1"] * len(UPDATES.columns)
    cells[1] = "none"
    path.write_text(UPDATES.header + "\n" + 5 * (",".join(cells) + "\n"))


def _run_of_log(path: Path) -> None:
    """A finished training whose log is the file."""
    (path.parent / "policies").mkdir(exist_ok=True)
    policy_file(path.parent / "policies" / "policy.safetensors")
    _run_json(path.parent / "config.json")
    config = TrainConfig().to_json()
    (path.parent / "config.json").write_text(json.dumps(config))
    _log(path)


def _recommendation(path: Path) -> None:
    tests = OrderTests(
        tested=4.5, tested_compliant=4.0, known_tested=3.0, known_compliant=3.0, contests=((0.0, 0.5), (0.0, 0.0))
    )
    evaluation = FreshEvaluation(
        reward=-14.5, reward_se=0.25, compliance=0.97, compliance_se=0.01, episodes=500, tests=tests
    )
    found = SavedRecommendation(
        order=UNIT_TYPES,
        training=2,
        training_episodes=6000,
        feasible=True,
        belief=-14.0,
        evaluation=evaluation,
        final=FinalTraining(after=30_000, episodes=30_000, evaluation=replace(evaluation, reward=-13.5)),
    )
    write_recommendation(path.parent, found)
    assert read_recommendation(path.parent) == found


def _zip(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, data=np.zeros(3))


CAGE2 = files("cageflow.scenario").joinpath("cage2.yaml").read_bytes()
SETTINGS = b"seed: 3\nred_agent: bline\nppo: {hidden_sizes: [32, 32], learning_rate: 1e-4}\nbeta: 2.5\nscenario: null\n"
MEMBERS = dict.fromkeys(("sleep", "bline", "meander"), "sleep")
FORMATS = {
    "settings": Format(lambda path: make_config({}, path), "settings.yaml", lambda path: path.write_bytes(SETTINGS)),
    "network": Format(load_scenario, "network.yaml", lambda path: path.write_bytes(CAGE2)),
    "team": Format(read_team, "team.json", lambda path: write_team(path, MEMBERS, "sleep"), broken_json),
    "policy": Format(load_policy, "p.safetensors", policy_file),
    "recording": Format(load_recording, "r.npz", _recording),
    "landscape": Format(read_landscape, "l.csv", lambda path: path.write_bytes(_shipped()), broken_cells),
    "run config": Format(read_config, "config.json", _run_json, broken_json),
    "run log": Format(lambda path: read_log(path, UPDATES), LOGS["training"].name, _log, broken_cells),
    "recommendation": Format(
        lambda path: read_recommendation(path.parent), RECOMMENDATION, _recommendation, broken_json
    ),
    "run": Format(lambda path: read_run(path.parent), LOGS["training"].name, _run_of_log, broken_cells),
    "state": Format(load_state, "run.state", lambda path: save_state(path, {"a": [1, 2.5], "run_episodes": 3})),
    "baseline config": Format(lambda path: read_settings(path.parent), "config.json", _baseline_json, broken_json),
    "onnx card": Format(read_card, "m.onnx", lambda path: path.write_bytes(b"\x08\x08\x72\x0a\x0a\x03abc\x12\x03def")),
    "model of Stable-Baselines3": Format(algorithm_of, "m.zip", _zip),
}


def _shipped() -> bytes:
    content = files("cageflow").joinpath("data/landscapes/cage2-bline-rewarded.csv").read_bytes()
    return b"\n".join(content.splitlines()[:20]) + b"\n"


@pytest.mark.parametrize("name", FORMATS)
def test_broken_file__is_read_or_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    kind = FORMATS[name]
    path = tmp_path / kind.name
    kind.write(path)
    valid = path.read_bytes()
    rng = random.Random(name)
    num_refused = 0
    for trial in range(40):
        content = kind.ways[trial % len(kind.ways)](valid, rng)
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                kind.read(path)
        except UserError as error:
            num_refused += 1
            assert 10 < len(str(error)) < 4000 and "Traceback" not in str(error), error
        except Exception as error:
            pytest.fail(f"trial {trial} gave {type(error).__name__}: {error}; the file: {content[:300]!r}")
    assert num_refused > 3
