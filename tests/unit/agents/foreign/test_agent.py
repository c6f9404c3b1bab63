"""An agent in its process: what it learns, what it cannot reach, and how each of its ends becomes a sentence."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.foreign.agent import ForeignAgent, load_agent
from cageflow.collect import EpisodeStream, GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import SETTING, Scripted

SEEDS = EpisodeStream(3, "test").seeds(0, 3)

# Keeps what it is shown, what the generators give, and all that it finds on its stack and in its process.
SPY = """
import gc, json, os, random, sys
import numpy as np

class Agent:
    def __init__(self):
        self.shown = []

    def get_action(self, observation, action_space):
        self.shown.append([observation.tolist(), random.random(), np.random.random()])
        if len(self.shown) == 12:
            frame, names = sys._getframe(), set()
            while frame:
                names |= set(frame.f_locals) | {type(value).__name__ for value in frame.f_locals.values()}
                frame = frame.f_back
            found = {
                "shown": self.shown,
                "names": sorted(names),
                "modules": sorted(name for name in sys.modules if name.startswith("cageflow")),
                "numbers": [value for value in gc.get_objects() if isinstance(value, np.ndarray) and value.size > 1000],
                "files": sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if int(n) > 2
                                and os.path.exists(f"/proc/self/fd/{n}")) if os.path.isdir("/proc/self/fd") else [],
                "terminal": [os.isatty(n) for n in (0, 1, 2)],
                "session": os.getsid(0) == os.getpid(),
            }
            with open("found.json", "w") as file:
                json.dump(found, file, default=str)
        return 0
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, timeout_s: float = 60.0) -> ForeignAgent:
    Path("brought.py").write_text(text)
    return load_agent("brought.py:Agent", {}, SETTING, timeout_s=timeout_s)


def agent_that(does: str, timeout_s: float = 60.0) -> ForeignAgent:
    return load(f"class Agent:\n    def get_action(self, o, a):\n        {does}\n", timeout_s)


def play(agent: object, num_steps: int = 4) -> np.ndarray:
    games = make_games(GameSpec(GameOptions("meander", max_steps=num_steps), masked=True))
    return play_episodes(agent, games, SEEDS).returns  # type: ignore[arg-type]


def test_agent__learns_what_blue_sees_and_nothing_else(here: Path) -> None:
    scripted = Scripted(0, max_envs=1)
    found = []
    for _ in range(2):
        assert np.array_equal(play(load(SPY)), play(scripted))
        found.append(json.loads((here / "found.json").read_text()))
    assert [one[0] for one in found[0]["shown"]] == [seen[0].tolist() for seen in scripted.seen[-12:]]
    assert found[0]["shown"] == found[1]["shown"]  # a seed repeats what is drawn too
    assert len({one[1] for one in found[0]["shown"]}) == 12
    # The game is not there: no module of it, no array as large as a state, no file but two pipes, no terminal.
    # The package of the environments is, which only names them to Gymnasium.
    assert not [
        name for name in found[0]["modules"] if name.startswith(("cageflow.sim", "cageflow.envs.", "cageflow.collect"))
    ]
    assert not {"LocalGames", "GameBatch", "Cage2Env", "BlueView"} & set(found[0]["names"])
    assert not found[0]["numbers"]
    assert all(name.startswith(("pipe:", "anon_inode:", "/proc")) for name in found[0]["files"])
    assert found[0]["terminal"] == [False] * 3 and found[0]["session"]


def test_seed_of_the_game__is_not_told(here: Path) -> None:
    load_spy = load(
        "import random\nkept = []\nplain = random.seed\nrandom.seed = lambda *a: (kept.extend(a), plain(*a))\n"
        "class Agent:\n    def get_action(self, o, a):\n        open('kept', 'w').write(repr(kept)); return 0\n"
    )
    play(load_spy)
    kept = eval((here / "kept").read_text())
    assert len(kept) == 3 and not set(kept) & {int(seed) for seed in SEEDS}


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("import sys; sys.exit(0)", r"^brought\.py:Agent ended itself by sys\.exit\(0\) in get_action\.$"),
        ("import os; os._exit(0)", r"^brought\.py:Agent ended its own process in step 1 \(exit status 0\)\.$"),
        ("import os; os.kill(os.getpid(), 9)", r"ended its own process in step 1 \(SIGKILL\)"),
        ("import os; os.abort()", r"ended its own process in step 1 \(SIGABRT\)"),
        ("import os; os.closerange(3, 1000); return 0", r"ended its own process in step 1"),
        ("return 1 / 0", r"failed in get_action: ZeroDivisionError: division by zero \(brought\.py, line 3\)\."),
        ("return 999", r"answered 999 in step 1"),
    ],
)
def test_end_of_an_agent__is_a_sentence(does: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        play(agent_that(does))


@pytest.mark.parametrize("does", ["while True: pass", "import time, signal; signal.alarm(0); time.sleep(1000)"])
def test_agent_that_hangs__is_ended_after_its_time(does: str) -> None:
    agent = agent_that(f"open('pid', 'w').write(str(__import__('os').getpid()))\n        {does}", timeout_s=5.0)
    begun = time.monotonic()
    with pytest.raises(UserError, match=r"gave no answer in step 1 within 5 s; give it more by --agent-timeout"):
        play(agent)
    assert time.monotonic() - begun < 20.0
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("pid").read_text()), 0)


def test_noise_on_the_pipe__is_no_answer() -> None:
    agent = load(
        "import os\nclass Agent:\n    def get_action(self, o, a):\n        for n in range(3, 1000):\n"
        "            try: os.write(n, b'a' + b'x' * 50)\n            except OSError: pass\n        return 0\n"
    )
    with pytest.raises(UserError, match=r"gave what is no answer in step 1"):
        play(agent)


def test_what_an_agent_prints__comes_out_clean_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    text = "import os\nclass Agent:\n    def get_action(self, o, a):\n        print('\\x1b[31mred')\n"
    agent = load(text + "        os.write(2, b'raw\\n' * 100); return 0\n")
    play(agent)
    agent._process.close()
    captured = capfd.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert {r"brought.py:Agent: \x1b[31mred", "brought.py:Agent: raw"} == set(lines[:200])
    assert lines[200:] == ["brought.py:Agent: it prints more than 200 lines; the others are left out"]


def test_process__ends_with_its_agent() -> None:
    agent = agent_that("open('pid', 'w').write(str(__import__('os').getpid())); return 0")
    play(agent)
    pid = int(Path("pid").read_text())
    os.kill(pid, 0)
    del agent
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
