"""Teams: who is chosen, by what, and the file."""

import json
from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.agents.team import MEMBERS, OPENING_STEPS, Chooser, TeamAgent, read_team, write_team
from cageflow.collect import EpisodeStream, GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueView
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import Played, play_episodes
from tests.helpers.agents import NETWORK, SETTING, Scripted, policy

SEEDS = EpisodeStream(5, "test").seeds(0, 300)
NUM_ACTIONS = len(NETWORK.codec)


def observation(*hosts: str, bit: int = 0) -> np.ndarray:
    row = np.zeros((1, NETWORK.num_observations), np.uint8)
    for host in hosts:
        row[0, 4 * NETWORK.hosts.index(host) + bit] = 1
    return row


def choice(*observations: np.ndarray) -> str:
    chooser = Chooser(NETWORK)
    chooser.reset(1)
    for one in observations:
        chooser.update(one)
    return MEMBERS[chooser.choices()[0]]


def test_choice__is_the_number_of_hosts_of_red_s_subnet_that_were_touched() -> None:
    nothing = observation()
    assert choice(nothing, nothing) == "sleep"
    assert choice(observation("User1"), nothing) == "bline"
    assert choice(observation("User1"), observation("User1")) == "bline"
    assert choice(observation("User1"), observation("User3")) == "meander"
    assert choice(observation("User1"), observation("User3"), observation("User0")) == "meander"


def test_choice__takes_no_notice_of_other_subnets_and_of_what_blue_believes() -> None:
    assert choice(observation("Enterprise0", "Op_Server0", "Defender")) == "sleep"
    assert choice(observation("User1", "User2", bit=2)) == "sleep"
    assert choice(observation("User1"), observation("Enterprise1")) == "bline"


def play(red: str, members: dict[str, Scripted], opening: Scripted, max_steps: int = 8, **options: str) -> Played:
    games = make_games(GameSpec(GameOptions(red, max_steps=max_steps, **options), masked=True))
    return play_episodes(TeamAgent(members, opening, SETTING), games, SEEDS)


@pytest.mark.parametrize("rules", ["v2.1", "challenge"])
@pytest.mark.parametrize("name", MEMBERS)
def test_team__knows_every_red_agent(name: str, rules: str) -> None:
    members = {member: Scripted() for member in MEMBERS}
    played = play(name, members, members["bline"], rules=rules)
    assert played.chosen is not None
    assert (played.chosen == MEMBERS.index(name)).all()


def test_team__opens_with_the_opening_and_goes_on_with_the_chosen() -> None:
    members = {name: Scripted(10 + i) for i, name in enumerate(MEMBERS)}
    opening = Scripted(7)
    for i, name in enumerate(MEMBERS):
        play(name, members, opening)
        played = [view.last_actions for view in opening.views[1:]]
        assert (np.array(played[:OPENING_STEPS]) == 7).all()
        assert (np.array(played[OPENING_STEPS:]) == 10 + i).all()
        opening.views.clear()


def test_members__see_every_step_and_their_seeds() -> None:
    members = {name: Scripted(i) for i, name in enumerate(MEMBERS)}
    play("bline", members, members["meander"])
    for agent in members.values():
        assert [view.step for view in agent.views] == list(range(8))
        assert np.array_equal(agent.seeds[0], SEEDS)


def test_games_of_one_batch__choose_each_for_themselves() -> None:
    members = {name: Scripted(i) for i, name in enumerate(MEMBERS)}
    team = TeamAgent(members, members["sleep"], SETTING)
    team.reset(SEEDS[:3])
    rows = np.concatenate([observation(), observation("User2"), observation("User2", "User4")])
    view = BlueView(OPENING_STEPS, rows, None, lambda: rows, lambda: rows, lambda: rows, lambda order: rows)
    assert team.act(view).tolist() == [0, 1, 2]


def test_member_that_overwrites_its_answer__does_not_overwrite_the_team_s() -> None:
    agents = {name: PolicyAgent(policy(i, mask_actions=False)) for i, name in enumerate(MEMBERS)}
    games = make_games(GameSpec(GameOptions("meander", max_steps=20), masked=True))
    alone = play_episodes(agents["meander"], games, SEEDS)
    team = play_episodes(TeamAgent(agents, agents["meander"], SETTING), games, SEEDS)
    assert np.array_equal(alone.returns, team.returns)


def test_limit__is_the_least_of_the_members() -> None:
    members = {name: Scripted(max_envs=limit) for name, limit in zip(MEMBERS, (None, 5, 3), strict=True)}
    assert TeamAgent(members, Scripted(), SETTING).max_envs == 3
    free = {name: Scripted() for name in MEMBERS}
    assert TeamAgent(free, Scripted(max_envs=1), SETTING).max_envs == 1
    assert TeamAgent(free, Scripted(), SETTING).max_envs is None


def test_team_file__keeps_paths_as_seen_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.safetensors", "agent.py"):
        (tmp_path / name).touch()
    (tmp_path / "teams").mkdir()
    monkeypatch.chdir(tmp_path)
    members = {"sleep": "sleep", "bline": "a.safetensors", "meander": "agent.py:Agent"}
    write_team(Path("teams/team.json"), members, "a.safetensors")
    written = json.loads(Path("teams/team.json").read_text())
    assert written["members"] == {"sleep": "sleep", "bline": "../a.safetensors", "meander": "../agent.py:Agent"}
    monkeypatch.chdir(tmp_path / "teams")
    read, opening = read_team(Path("team.json"))
    assert read == {"sleep": "sleep", "bline": "../a.safetensors", "meander": "../agent.py:Agent"}
    assert Path(opening).exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no JSON", "cannot be read as JSON"),
        ("[]", "not a team written by cageflow"),
        ('{"format": "another"}', "not a team written by cageflow"),
        ('{"format": "cageflow-team", "format_version": 2}', "has format version 2; this cageflow reads 1"),
        ('{"format": "cageflow-team", "format_version": 1, "members": {"bline": "x"}}', "has other members than"),
        (
            '{"format": "cageflow-team", "format_version": 1, "members": {"bline": "x", "meander": 3, "sleep": "x"}}',
            "a member that is no text",
        ),
    ],
)
def test_wrong_team_file__is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "team.json").write_text(content)
    with pytest.raises(UserError, match=words):
        read_team(tmp_path / "team.json")


def test_team_file_that_cannot_be_written__is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"team\.json cannot be written: File exists"):
        write_team(tmp_path / "file" / "team.json", dict.fromkeys(MEMBERS, "sleep"), "sleep")
