"""Red agents in Python: how they are found, asked and refused, and that they play the same in any company."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cageflow.collect.games import GameSpec, LocalGames
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.red_player import GivenActions, PythonReds, open_red
from cageflow.envs.red_speed import notes_on_red
from cageflow.envs.single import Cage2Env
from cageflow.envs.varying import Variation
from cageflow.envs.vector import Cage2VectorEnv
from cageflow.errors import UserError
from cageflow.scenario import RedKind, default_network
from cageflow.scenario.red_agents import GIVEN, red_words, short_red_name

NETWORK = default_network()
CODEC = NETWORK.red_codec

SCHOLAR = """
import random

made = []

class Scholar:
    def __init__(self):
        self.seen = []
        made.append(self)

    def reset(self, network, seed):
        self.network, self.random = network, random.Random(seed)
        self.seen.append(("reset", seed))

    def act(self, view):
        self.seen.append(view.step)
        return self.random.choice(view.actions)
"""


class Sweeper:
    """Sweeps the user subnet by number, and then by name."""

    def reset(self, network, seed):
        self.codec = network.red_codec

    def act(self, view):
        return self.codec.encode("sweep User") if view.step == 0 else "sweep User"


@pytest.fixture
def scholar(tmp_path: Path) -> str:
    path = tmp_path / "scholar.py"
    path.write_text(SCHOLAR)
    return f"{path}:Scholar"


def actions_of(games: GameBatch, num_steps: int, num_envs: int) -> np.ndarray:
    """(T, B, 2) what red did in each step, blue being asleep."""
    table, rewards = np.zeros((num_envs, 52), np.uint8), np.empty(num_envs, np.float32)
    done = []
    for _ in range(num_steps):
        games.play(np.zeros(num_envs, np.int16), table, rewards)
        done.append(np.stack([games.states["red_kind"], games.states["red_target"]], axis=1))
    return np.array(done)


def test_class__is_asked_step_by_step_and_begun_anew_with_each_episode(scholar):
    games = GameBatch(GameOptions(scholar), 2)
    assert isinstance(games.red.player, PythonReds)
    games.begin(np.array([1, 2], np.uint64))
    actions_of(games, 3, 2)
    games.begin(np.array([3, 4], np.uint64))
    actions_of(games, 2, 2)
    first, second = games.red.player._agents
    assert [one if isinstance(one, int) else one[0] for one in first.seen] == ["reset", 0, 1, 2, "reset", 0, 1]
    seeds = [one[1] for agent in (first, second) for one in agent.seen if isinstance(one, tuple)]
    assert len(set(seeds)) == 4 and all(type(seed) is int for seed in seeds)
    assert first.network is games.network


def test_class__may_be_handed_over_itself_and_answers_by_name_or_number():
    games = GameBatch(GameOptions(red_agent=Sweeper), 1)
    games.begin(np.array([1], np.uint64))
    assert (actions_of(games, 2, 1) == [[[RedKind.DISCOVER_REMOTE_SYSTEMS, NETWORK.subnets.index("User")]]]).all()
    name = GameOptions(Sweeper).red_agent
    assert name == f"{__file__}:Sweeper"
    assert replace(GameOptions(Sweeper), max_steps=3).red_agent == name
    assert isinstance(open_red(pickle.loads(pickle.dumps(GameOptions(Sweeper)))), PythonReds)


def test_games__are_the_same_single_in_a_batch_and_after_another_cut(scholar):
    seeds = np.arange(5, dtype=np.uint64)
    whole = GameBatch(GameOptions(scholar), 5)
    whole.begin(seeds)
    played = actions_of(whole, 12, 5)
    assert len(np.unique(played.reshape(12, 5, 2), axis=1).reshape(12, -1)[5]) > 2
    part = GameBatch(GameOptions(scholar), 1)
    for i in (3, 0):
        part.begin(seeds[i : i + 1])
        np.testing.assert_array_equal(actions_of(part, 12, 1)[:, 0], played[:, i])
    part.begin(seeds[1:4])
    np.testing.assert_array_equal(actions_of(part, 12, 3), played[:, 1:4])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_vector_environment__plays_the_single_ones_through_several_episodes(scholar, mode):
    envs = Cage2VectorEnv(2, red_agent=scholar, max_steps=4, autoreset_mode=mode)
    env = Cage2Env(red_agent=scholar, max_steps=4)
    envs.reset(seed=5), env.reset(seed=6)
    for step in range(12):
        if mode == "NextStep" and step % 5 == 4:
            envs.step(np.zeros(2, np.int64))
            env.reset()
            continue
        env.step(0)
        envs.step(np.zeros(2, np.int64))
        if mode == "NextStep" or step % 4 != 3:
            assert envs.last_step_of(1).red_action == env.last_step().red_action
        elif mode == "SameStep":
            env.reset()
    asked = [one for one in envs._game.red.player._agents[1].seen if isinstance(one, int)]
    assert max(asked) == 3, "it is not asked where an episode is over"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("def reset(self, network, seed): raise KeyError('x')", "failed in reset: KeyError: 'x' .wrong.py, line 4."),
        ("def reset(self, network): pass", "failed in reset: TypeError"),
        ("def act(self, view): return 1 / 0", "failed in act in step 1: ZeroDivisionError: division by zero"),
        ("def act(self, view): raise SystemExit(3)", r"ended itself by sys.exit\(3\) in act in step 1"),
        ("def act(self, view): return 'attack'", "answered 'attack' in step 1; expected the name of an action, such"),
        ("def act(self, view): return 56", "answered 56 in step 1; expected .* or its number, 0 to 55."),
        ("def act(self, view): return True", "answered True in step 1"),
        ("def act(self, view): return None", "answered None in step 1"),
        ("def act(self, view): return 1.0", "answered 1.0 in step 1"),
        ("def __init__(self, more): pass", "failed in its constructor: TypeError"),
        ("def act(self, view): view.step = 3", r"failed in act in step 1: FrozenInstanceError: .* .wrong.py, line 4."),
        ("def act(self, view): __import__('json').loads('{')", r"failed in act in .*JSONDecode.* .wrong.py, line 4."),
    ],
)
def test_class_that_fails__is_named_with_its_file_and_the_step(body, sentence, tmp_path):
    path = tmp_path / "wrong.py"
    default = "    def reset(self, network, seed): pass\n    def act(self, view): return 0\n"
    path.write_text(f"class Wrong:\n{default}    {body}\n")
    with pytest.raises(UserError, match=f"red agent {path}:Wrong {sentence}"):
        env = Cage2Env(red_agent=f"{path}:Wrong")
        env.reset(seed=0)
        env.step(0)


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("x = 1", "Red", "is not there: .*brought.py has no 'Red'"),
        ("class Red: pass", "Red", r"has no reset and no act; expected a class with reset\(network, seed\) and act"),
        ("class Red:\n    def act(self, view): return 0", "Red", "has no reset; expected"),
        ("Red = 3", "Red", "is no class; expected one with reset"),
        ("import nothing_of_that_name", "Red", "cannot be imported: ModuleNotFoundError"),
        ("class Red", "Red", "cannot be imported: SyntaxError"),
    ],
)
def test_file__that_holds_no_red_agent_is_refused_before_a_game_begins(text, name, sentence, tmp_path):
    (tmp_path / "brought.py").write_text(text)
    with pytest.raises(UserError, match=f"red agent .*brought.py:{name} {sentence}"):
        GameBatch(GameOptions(f"{tmp_path / 'brought.py'}:{name}"), 1)


def test_what_code_prints__leaves_standard_output_to_the_result(tmp_path, capsys):
    path = tmp_path / "loud.py"
    shout = "    def {0}: print('{0}')\n"
    methods = "".join(map(shout.format, ("__init__(self)", "reset(self, network, seed)")))
    path.write_text(f"print('imported')\nclass Loud:\n{methods}    def act(self, view): return print('act') or 0\n")
    env = Cage2Env(red_agent=f"{path}:Loud")
    env.reset(seed=0)
    env.step(0)
    said = capsys.readouterr()
    assert (said.out, said.err.split("\n")[0], said.err.count("act")) == ("", "imported", 1)


def test_class_that_is_handed_over__prints_where_the_program_does(capsys):
    class Loud(Sweeper):
        def act(self, view):
            print("act")
            return 0

    env = Cage2Env(red_agent=Loud)
    env.reset(seed=0)
    env.step(0)
    assert capsys.readouterr().out == "act\n"


def test_folder_of_a_training__stands_for_its_policy(tmp_path):
    policies = tmp_path / "learned" / "policies"
    policies.mkdir(parents=True)
    with pytest.raises(UserError, match="'.*learned' is no red agent; possible are .* or the folder of its training"):
        GameOptions(str(tmp_path / "learned"))
    (policies / "policy.safetensors").touch()
    options = GameOptions(str(tmp_path / "learned"))
    assert options.red_agent == str(policies / "policy.safetensors")
    assert red_words(options.red_agent) == "learned", "or tables would call each of several 'policy'"


def test_file__that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no file .*nowhere.py"):
        GameBatch(GameOptions(f"{tmp_path}/nowhere.py:Red"), 1)
    with pytest.raises(UserError, match="red.safetensors is not there: there is no such file"):
        GameBatch(GameOptions(f"{tmp_path}/red.safetensors"), 1)
    with pytest.raises(UserError, match="is no red agent; possible are .*a class in Python as file.py:Name"):
        GameOptions(f"{tmp_path}/nowhere.py")
    with pytest.raises(UserError, match="'given' is no red agent"):
        GameOptions("given")


def test_file__that_was_written_anew_is_read_anew(tmp_path):
    path, text = tmp_path / "brought.py", "class Red:\n    reset = print\n    def act(self, view): return {!r}\n"
    for number, name in enumerate(("Sleep", "sweep User")):
        path.write_text(text.format(name))
        os.utime(path, ns=(10**18 + number * 10**9,) * 2)
        games = GameBatch(GameOptions(f"{path}:Red"), 1)
        games.begin(np.zeros(1, np.uint64))
        assert actions_of(games, 1, 1)[0, 0, 0] == number


def test_names__are_short_where_they_are_shown():
    assert short_red_name("some/where/my.py:MyRed") == red_words("some/where/my.py:MyRed") == "MyRed"
    assert short_red_name("runs/exploit/best.safetensors") == "best"
    assert [red_words(name) for name in ("mixed", "sleepy-bline", "B_lineAgent")] == [
        "Mixed",
        "Sleepy B-line",
        "B-line",
    ]


def test_state__of_code_is_refused_and_of_given_actions_is_kept(scholar):
    env = Cage2Env(red_agent=scholar)
    env.reset(seed=0)
    with pytest.raises(UserError, match="what an agent in Python keeps of a game stands in no state"):
        env.get_state()
    given = GivenActions(2)
    games = GameBatch(GameOptions(GIVEN), 2, red=given)
    games.begin(np.arange(2, dtype=np.uint64))
    given.actions[:] = CODEC.encode("sweep User")
    actions_of(games, 1, 2)
    state = games.save({})
    given.actions[:] = CODEC.encode("scan User1"), CODEC.encode("scan User2")
    played, seen = actions_of(games, 1, 2), games.red_memory.observations()
    games.load(state, {})
    assert (games.red_memory.observations() != seen).any()
    np.testing.assert_array_equal(actions_of(games, 1, 2), played)
    np.testing.assert_array_equal(games.red_memory.observations(), seen)


def test_action__is_not_asked_for_while_one_is_under_way(scholar):
    games = GameBatch(GameOptions(scholar, durations="cage4"), 1)
    games.begin(np.zeros(1, np.uint64))
    asked, before = games.red.player._agents[0].seen, 0
    for _ in range(20):
        is_under_way = bool(games.states["red_left"][0] > 0)
        actions_of(games, 1, 1)
        assert len(asked) == before + (not is_under_way) or before == 0
        before = len(asked)
    assert before < 20


def test_perturbed_starts__are_those_of_blue_and_red_is_asked_in_them(scholar):
    seeds = np.arange(40, dtype=np.uint64)
    compiled = GameBatch(GameOptions("sleep"), 40)
    played = GameBatch(GameOptions(scholar), 40)
    tables = [np.zeros((40, 52), np.uint8) for _ in range(2)]
    for games, table in zip((compiled, played), tables, strict=True):
        games.begin(seeds, table)
        games.vary(seeds, Variation(perturbed=0.5), table)
    steps = played.states["step"]
    np.testing.assert_array_equal(steps, compiled.states["step"])
    assert set(steps) == {0, 25}
    np.testing.assert_array_equal(played.red_memory.records["step"], steps)
    np.testing.assert_array_equal(played.memory.records["decoys"][steps == 0], 0)
    for name in ("decoys", "restored"):
        np.testing.assert_array_equal(played.memory.records[name], compiled.memory.records[name])
    assert (tables[1][steps == 25].any(axis=1)).mean() > 0.8, "red was there"
    assert not tables[1][steps == 0].any()


def test_note__says_how_slow_it_is_and_nothing_of_what_is_built_in(scholar):
    assert notes_on_red(GameOptions("switch")) == ()
    (note,) = notes_on_red(GameOptions(scholar))
    assert note.startswith(f"red agent {scholar} plays step by step in Python: some ")
    assert note.endswith(" times as many")


def test_local_games__play_it_for_collectors_and_evaluations(scholar):
    options = GameOptions(scholar, max_steps=5)
    games = LocalGames(GameSpec(options, masked=True), GameBatch(options, 1))
    games.reset(np.arange(3, dtype=np.uint64), None)
    rewards, alignment = np.empty(3, np.float32), np.empty(3, np.float32)
    for _ in range(5):
        games.step(np.zeros(3, np.int16), rewards, alignment)
    assert games.batch.red_memory.records["step"].tolist() == [5, 5, 5]
