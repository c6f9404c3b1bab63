"""What counts as an agent of others: what it is given, how it is called, what is refused."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.agents.foreign.kinds import ForeignPlayer, load_player
from cageflow.agents.foreign.wire import Shown
from cageflow.errors import UserError
from tests.helpers.agents import NETWORK

NUM_ACTIONS = len(NETWORK.codec)
SEED = np.array([3], np.uint64)

RECORDER = """
class Recorder:
    made = []

    def __init__(self, action=0):
        self.action, self.calls = action, []
        Recorder.made.append(self)

    def get_action(self, observation, action_space):
        self.calls.append((observation.copy(), action_space))
        return self.action

    def end_episode(self):
        self.calls.append("end")

class Helper:
    pass

instance = Recorder(7)

def of_two(observation, action_space):
    return action_space - 1

def of_one(observation):
    return int(observation.sum())
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


def load(location: str, **changes: Any) -> ForeignPlayer:
    request = {
        "location": location,
        "arguments": {},
        "cyborg_path": None,
        "num_observations": NETWORK.num_observations,
        "actions": list(NETWORK.codec.names),
        "deterministic": False,
    }
    return load_player({**request, **changes})


def shown(step: int = 0, num_envs: int = 1, ones: int = 0) -> Shown:
    observations = np.zeros((num_envs, NETWORK.num_observations), np.uint8)
    observations[:, :ones] = 1
    masks = np.ones((num_envs, NUM_ACTIONS), np.uint8)
    return Shown(step, observations, np.full(num_envs, -1, np.int64), masks)


def answer_of(body: str) -> int:
    write(f"class Agent:\n    def get_action(self, observation, action_space):\n        {body}\n")
    player = load("brought.py:Agent")
    player.reset(SEED)
    return int(player.act(shown())[0])


def test_class__is_called_as_the_challenge_calls_it() -> None:
    player = load(f"{write(RECORDER)}:Recorder", arguments={"action": 2})
    for _ in range(2):
        player.reset(SEED)
        assert [player.act(shown(step)) for step in range(2)] == [2, 2]
    player.reset(SEED)
    made = sys.modules["cageflow_agent_brought"].Recorder.made
    calls = made[-1].calls
    assert len(made) == 2  # the instance in the file, and one for all episodes
    assert [call == "end" for call in calls] == [False, False, True] * 2
    observation, action_space = calls[0]
    assert observation.shape == (NETWORK.num_observations,) and observation.dtype == np.int64
    assert action_space == NUM_ACTIONS
    assert player.max_envs == 1 and not player.wants_masks


@pytest.mark.parametrize(("name", "action"), [("instance", 7), ("of_two", NUM_ACTIONS - 1), ("of_one", 5)])
def test_object_and_function__are_taken_as_they_are(name: str, action: int) -> None:
    player = load(f"{write(RECORDER)}:{name}")
    player.reset(SEED)
    assert player.act(shown(ones=5))[0] == action


PREDICTS = """
import numpy as np

class Plain:
    def predict(self, observation):
        assert observation.dtype == np.float32
        return np.array(4), None

class Masked:
    def predict(self, observation, action_masks=None, deterministic=False):
        assert action_masks.shape == (145,) and action_masks.dtype == bool
        return np.array([6])

class Remembers:
    def predict(self, observation, state=None, episode_start=None):
        return (0, 1) if episode_start[0] else (state, state + 1)
"""


def test_predict__is_called_as_stable_baselines_calls_it() -> None:
    write(PREDICTS)
    plain, masked, remembers = (load(f"brought.py:{name}") for name in ("Plain", "Masked", "Remembers"))
    for player, action in ((plain, 4), (masked, 6)):
        player.reset(SEED)
        assert player.act(shown())[0] == action
    assert masked.wants_masks and not plain.wants_masks
    for _ in range(2):
        remembers.reset(SEED)
        assert [remembers.act(shown(step))[0] for step in range(4)] == [0, 1, 2, 3]


def test_agent_for_many_games__answers_for_all_at_once() -> None:
    write(
        "class Agent:\n    def get_actions(self, observations, n): return observations.sum(axis=1) + len(observations)"
    )
    player = load("brought.py:Agent")
    player.reset(np.arange(3, dtype=np.uint64))
    assert player.act(shown(num_envs=3, ones=4)).tolist() == [7, 7, 7]
    assert player.max_envs == 4096
    write("class Agent:\n    def get_actions(self, observations, n): return [1, 2]")
    player = load("brought.py:Agent")
    with pytest.raises(UserError, match=r"answered \[1, 2\] in step 1; expected 3 numbers of actions, 0 to 144"):
        player.act(shown(num_envs=3))


def test_module__is_found_from_the_working_folder_with_its_package() -> None:
    write("from .inner import Recorder", "brought/outer.py")
    write(RECORDER, "brought/inner.py")
    load("brought.outer:Recorder")
    with pytest.raises(UserError, match=r"name it as package\.module:ClassName from the folder"):
        load("brought/outer.py:Recorder")


def test_file__finds_its_neighbours() -> None:
    write("VALUE = 3", "folder/brought_neighbour.py")
    write("from brought_neighbour import VALUE\n" + RECORDER, "folder/brought.py")
    load("folder/brought.py:Recorder")


def test_same_name_as_a_module_of_ours__does_no_harm() -> None:
    import json

    load(f"{write(RECORDER, 'folder/json.py')}:Recorder")
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    "answer",
    [
        "return 3",
        "import numpy as np; return np.int64(3)",
        "import numpy as np; return np.array(3)",
        "import numpy as np; return np.array([3])",
        "import torch; return torch.tensor([3])",
        "return [3]",
    ],
)
def test_answer__may_be_any_kind_of_whole_number(answer: str) -> None:
    assert answer_of(answer) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("return 999", "^answered 999 in step 1; expected the number of an action, 0 to 144"),
        ("return -1", "answered -1 in step 1"),
        ("return 10**5000", r"answered a int in step 1"),
        ("return 'x' * 10**6", r"answered 'xxxx.*x\.\.\. in step 1"),
        ("return None", "answered None in step 1"),
        ("return 3.0", r"answered 3\.0 in step 1"),
        ("return True", "answered True in step 1"),
        ("return [1, 2]", r"answered \[1, 2\] in step 1"),
        ("return 'Sleep'", "answered 'Sleep' in step 1"),
        ("return {}['key']", r"^failed in get_action: KeyError: 'key' \(brought\.py, line 3\)\.$"),
        ("raise KeyboardInterrupt", r"failed in get_action: KeyboardInterrupt"),
        ("import sys; sys.exit(0)", r"^ended itself by sys\.exit\(0\) in get_action\.$"),
        ("exit()", r"ended itself by sys\.exit\(None\) in get_action"),
    ],
)
def test_wrong_answer__is_refused_with_its_step(answer: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        answer_of(answer)


@pytest.mark.parametrize(
    ("text", "location", "words"),
    [
        (RECORDER, "missing.py:Recorder", r"there is no file missing\.py"),
        (RECORDER, "brought.py:Other", r"has no 'Other'; agents in it are Recorder, instance, of_two, of_one\."),
        ("x = 1", "brought.py:Agent", "has no 'Agent'; nothing in it has get_action"),
        (RECORDER, "brought.py:Helper", r"is no agent: it has neither get_action nor get_actions nor predict"),
        ("import nothing_of_this_name", "brought.py:Agent", "cannot be imported: ModuleNotFoundError: No module named"),
        ("1 / 0", "brought.py:Agent", r"cannot be imported: ZeroDivisionError: .* \(brought\.py, line 1\)"),
        ("import sys; sys.exit(0)", "brought.py:Agent", r"ended itself by sys\.exit\(0\) while it was imported"),
        ("from CybORG.Agents import X", "brought.py:Agent", "name the folder of an installed CybORG by --cyborg"),
        (RECORDER, "brought.nowhere:Agent", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_loaded__is_refused(
    text: str, location: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "CybORG"]:
        monkeypatch.delitem(sys.modules, name)
    write(text)
    with pytest.raises(UserError, match=words):
        load(location)


def test_arguments__must_fit() -> None:
    with pytest.raises(UserError, match=r"failed in its constructor: TypeError: .*unexpected keyword argument 'size'"):
        load(f"{write(RECORDER)}:Recorder", arguments={"size": 3})
    with pytest.raises(UserError, match="is no class, so that --agent-args are for nobody"):
        load(f"{write(RECORDER)}:instance", arguments={"size": 3})


def test_failure_at_the_end_of_an_episode__is_told() -> None:
    write("class Agent:\n    def get_action(self, o, a): return 0\n    def end_episode(self): raise OSError('full')")
    player = load("brought.py:Agent")
    player.reset(SEED)
    player.act(shown())
    with pytest.raises(UserError, match="failed in end_episode: OSError: full"):
        player.reset(SEED)


def test_folder_without_cyborg__is_refused() -> None:
    with pytest.raises(UserError, match="holds no CybORG"):
        load(f"{write(RECORDER)}:Recorder", cyborg_path=".")
