"""Agents in CybORG's shape: what they are given, how they are called, what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cageflow.collect import EpisodeStream, GameSpec
from cageflow.collect.games import CompiledGames
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from cageflow.evaluation.foreign import ForeignAgent, load_agent
from tests.helpers.agents import NETWORK, SETTING

SEEDS = EpisodeStream(3, "test").seeds(0, 3)
NUM_ACTIONS = len(NETWORK.codec)

RECORDER = """
import random
import numpy as np

class Recorder:
    made = []

    def __init__(self, action=0):
        self.action, self.calls = action, []
        Recorder.made.append(self)

    def get_action(self, observation, action_space):
        self.calls.append((observation.copy(), action_space, random.random(), np.random.random()))
        return self.action

    def end_episode(self):
        self.calls.append("end")

class Helper:
    pass
"""


@pytest.fixture(autouse=True)
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in set(sys.modules):
        if name.startswith(("cageflow_agent_", "brought")):
            monkeypatch.delitem(sys.modules, name)


def write(text: str, name: str = "brought.py") -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name


def agent_of(answer: str) -> ForeignAgent:
    body = f"class Agent:\n    def get_action(self, observation, action_space):\n        {answer}\n"
    return load_agent(f"{write(body + '    def end_episode(self): pass')}:Agent", {}, SETTING)


def play(agent: ForeignAgent, num_steps: int = 4) -> np.ndarray:
    games = CompiledGames(GameSpec(GameOptions("meander", max_steps=num_steps), masked=True))
    return play_episodes(agent, games, SEEDS, num_steps, NUM_ACTIONS).returns


def test_agent__is_called_as_the_challenge_calls_it() -> None:
    agent = load_agent(f"{write(RECORDER)}:Recorder", {"action": 2}, SETTING)
    play(agent)
    calls = sys.modules["cageflow_agent_brought"].Recorder.made[0].calls
    assert [call == "end" for call in calls] == ([False] * 4 + [True]) * 2 + [False] * 4
    observations = [call[0] for call in calls if call != "end"]
    assert all(one.shape == (NETWORK.num_observations,) and one.dtype == np.int64 for one in observations)
    assert not observations[0].any() and not observations[4].any()
    assert any(one.any() for one in observations)
    assert {call[1] for call in calls if call != "end"} == {NUM_ACTIONS}
    assert len(sys.modules["cageflow_agent_brought"].Recorder.made) == 1


def test_global_generators__are_seeded_with_the_episode() -> None:
    draws = []
    for _ in range(2):
        play(load_agent(f"{write(RECORDER)}:Recorder", {}, SETTING))
        calls = sys.modules["cageflow_agent_brought"].Recorder.made[0].calls
        draws.append([call[2:] for call in calls if call != "end"])
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == len(draws[0])


def test_module__is_found_from_the_working_folder_with_its_package() -> None:
    write("from .inner import Recorder", "brought/outer.py")
    write(RECORDER, "brought/inner.py")
    agent = load_agent("brought.outer:Recorder", {}, SETTING)
    assert play(agent).shape == (3,)
    with pytest.raises(UserError, match=r"name it as package\.module:ClassName from the folder"):
        load_agent("brought/outer.py:Recorder", {}, SETTING)


def test_file__finds_its_neighbours() -> None:
    write("VALUE = 132", "folder/brought_neighbour.py")
    body = "class Agent:\n    def get_action(self, o, a): return VALUE\n    def end_episode(self): pass"
    write("from brought_neighbour import VALUE\n" + body, "folder/brought.py")
    returns = play(load_agent("folder/brought.py:Agent", {}, SETTING))
    assert np.array_equal(returns, play(agent_of("return 132")))
    assert not np.array_equal(returns, play(agent_of("return 3")))


def test_same_name_as_a_module_of_ours__does_no_harm() -> None:
    import json

    load_agent(f"{write(RECORDER, 'folder/json.py')}:Recorder", {}, SETTING)
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ("return 3", 3),
        ("import numpy as np; return np.int64(3)", 3),
        ("import numpy as np; return np.array(3)", 3),
        ("import numpy as np; return np.array([3])", 3),
        ("import torch; return torch.tensor([3])", 3),
        ("return [3]", 3),
    ],
)
def test_answer__may_be_any_kind_of_whole_number(answer: str, action: int) -> None:
    returns = play(agent_of(answer))
    assert np.array_equal(returns, play(agent_of(f"return {action}")))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("return 999", "answered 999 in step 1; expected the number of an action, 0 to 144"),
        ("return -1", "answered -1 in step 1"),
        ("return None", "answered None in step 1"),
        ("return 3.0", r"answered 3\.0 in step 1"),
        ("return True", "answered True in step 1"),
        ("return [1, 2]", r"answered \[1, 2\] in step 1"),
        ("return 'Sleep'", "answered 'Sleep' in step 1"),
        ("return {}['key']", r"failed in get_action: KeyError: 'key' \(brought\.py, line 3\)"),
    ],
)
def test_wrong_answer__is_refused_with_its_step(answer: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        play(agent_of(answer))


@pytest.mark.parametrize(
    ("text", "location", "words"),
    [
        (RECORDER, "missing.py:Recorder", r"there is no file missing\.py"),
        (RECORDER, "brought.py:Other", r"has no 'Other'; agents in it are Recorder\."),
        ("x = 1", "brought.py:Agent", "has no 'Agent'; no class in it has get_action"),
        (RECORDER, "brought.py:Helper", r"has no get_action and no end_episode; an agent in CybORG's shape has"),
        (
            "import nothing_of_this_name",
            "brought.py:Agent",
            r"cannot be imported: ModuleNotFoundError: No module named",
        ),
        (
            "1 / 0",
            "brought.py:Agent",
            r"cannot be imported: ZeroDivisionError: division by zero \(brought\.py, line 1\)",
        ),
        (
            "from CybORG.Agents import BaseAgent",
            "brought.py:Agent",
            "name the folder of an installed CybORG by --cyborg",
        ),
        (RECORDER, "brought.nowhere:Agent", "brought.nowhere cannot be imported: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_loaded__is_refused(
    text: str, location: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "CybORG"]:
        monkeypatch.delitem(sys.modules, name)
    write(text)
    with pytest.raises(UserError, match=words):
        load_agent(location, {}, SETTING)


def test_wrong_arguments__are_refused() -> None:
    with pytest.raises(UserError, match=r"failed in its constructor: TypeError: .*unexpected keyword argument 'size'"):
        load_agent(f"{write(RECORDER)}:Recorder", {"size": 3}, SETTING)


def test_failure_at_the_end_of_an_episode__is_told() -> None:
    write("class Agent:\n    def get_action(self, o, a): return 0\n    def end_episode(self): raise OSError('full')")
    with pytest.raises(UserError, match="failed in end_episode: OSError: full"):
        play(load_agent("brought.py:Agent", {}, SETTING))


def test_folder_without_cyborg__is_refused() -> None:
    with pytest.raises(UserError, match="holds no CybORG"):
        load_agent(f"{write(RECORDER)}:Recorder", {}, SETTING, ".")
