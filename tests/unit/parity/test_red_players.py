"""Who plays red in a recording besides the original's own agents."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from cageflow.envs.red_memory import RedMemory
from cageflow.parity import red_players
from cageflow.parity.recording import Recording, RecordingMeta
from cageflow.parity.red_players import RecordedRed, UniformRed, find_red, name_of_red
from cageflow.parity.replay import play_again, replay
from cageflow.scenario import default_network
from cageflow.sim.state import new_states

NETWORK = default_network()
ONE = np.ones(1, np.bool_)


def drawn(seed, number=200):
    player = UniformRed()
    player.begin(np.array([seed], np.uint64), ONE)
    return [int(player.act(RedMemory(NETWORK), ONE)[0]) for _ in range(number)]


def test_random__takes_every_action_and_is_the_same_for_the_same_seed():
    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(3, 800)) == set(range(len(NETWORK.red_codec)))


def test_find_red__knows_the_random_one_and_leaves_the_originals_alone():
    assert isinstance(find_red("Random"), UniformRed)
    assert find_red("bline") is None
    player = UniformRed()
    assert find_red(player) is player
    assert name_of_red("random", player) == "random"


def test_find_red__takes_a_class_of_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "class Mine:\n"
        "    def reset(self, network, seed):\n        pass\n"
        "    def act(self, view):\n        return 'sweep User'\n"
    )
    name = f"{path}:Mine"
    player = find_red(name)
    assert name_of_red(name, player) == "mine.py:Mine"
    player.begin(np.zeros(1, np.uint64), ONE)
    assert player.act(RedMemory(NETWORK), ONE).tolist() == [NETWORK.red_codec.encode("sweep User")]


def test_recorded_red__is_asked_before_a_step_and_told_after_it(monkeypatch):
    env = SimpleNamespace(network=NETWORK, red=SimpleNamespace(action=0), cyborg=None)
    asked = []

    class Watchful(UniformRed):
        def act(self, memory, free):
            asked.append(memory.view().step)
            return np.array([5])

    monkeypatch.setattr(red_players, "what_red_was_told", lambda cyborg, network: new_states(network, 1))
    red = RecordedRed(env, Watchful())
    for _ in range(2):
        red.begin(np.random.SeedSequence(1))
        red.choose()
        red.learn()
        red.choose()
    assert (asked, env.red.action) == ([0, 1, 0, 1], 5)
    assert name_of_red(Watchful(), Watchful()) == "test_red_players.py:Watchful"


def recorded(red="random"):
    """Two episodes of a red that acts at random, played here in place of the original."""
    rng, codec = np.random.default_rng(0), NETWORK.red_codec
    red_actions = rng.integers(len(codec), size=(2, 40))
    blue = rng.integers(145, size=(2, 40)).astype(np.int16)
    meta = RecordingMeta("v2.1", red, "random", 0, green=True)
    arrays = play_again(meta, NETWORK, blue, None, (codec.kinds[red_actions], codec.targets[red_actions]))
    arrays["red_target"][arrays["red_kind"] == 0] = -1
    return Recording(meta=meta, **{name: arrays[name] for name in Recording.__dataclass_fields__ if name != "meta"})


def test_replay__gives_the_actions_of_a_red_that_is_none_of_the_originals():
    recording = recorded()
    assert 0 < recording.red_valid.mean() < 1
    assert replay(recording).mismatches == 0


@pytest.mark.parametrize("field", ["red_valid", "red_success", "user_sessions"])
def test_replay__notices_what_such_a_red_cannot_have_met(field):
    recording = recorded("mine.py:Red")
    changed = getattr(recording, field).copy()
    changed[1, 20] = 1 - np.minimum(changed[1, 20], 1)
    report = replay(dataclasses.replace(recording, **{field: changed}))
    assert report.field_mismatches[field] == report.mismatches == 1
    assert (report.earliest.episode, report.earliest.step) == (1, 20 + (field != "user_sessions"))


@pytest.mark.parametrize("red", ["", "Somebody", "a/b.py:Red", "x.py", "x.py:", "x.py:two words"])
def test_recording__of_a_red_by_another_name_is_refused(red):
    recording = recorded()
    with pytest.raises(ValueError, match="its red agent is .* possible are B_lineAgent"):
        dataclasses.replace(recording, meta=dataclasses.replace(recording.meta, red=red))
