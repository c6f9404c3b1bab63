"""What a user may name as a policy."""

from pathlib import Path

import pytest

from cageflow.agents.foreign.agent import ForeignAgent
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.agents.sources import (
    BaselineSource,
    ForeignSource,
    PolicySource,
    SourceOptions,
    TeamSource,
    find_agent,
    make_team,
    parse_team,
)
from cageflow.agents.team import TeamAgent, write_team
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from tests.helpers.agents import SETTING, policy_file
from tests.helpers.orders import parse_order

DEFAULT = SourceOptions()
ORDER = "enterprise,op_server,user,op_host,defender"
OTHER = "defender,enterprise,op_server,op_host,user"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_name_of_a_baseline() -> None:
    source = find_agent("sleep", DEFAULT)
    assert (source.name, source.actions, source.observation, source.workflow) == ("sleep", "own", None, None)


def test_policy_file() -> None:
    path = policy_file(Path("p.safetensors"), rules="challenge", observation="official")
    source = find_agent("p.safetensors", SourceOptions(deterministic=True))
    assert source == PolicySource("p.safetensors", path, load_policy(path).card, None, deterministic=True)
    assert (source.observation, source.trained_rules) == ("official", "challenge")
    assert (source.actions, find_agent("p.safetensors", DEFAULT).actions) == ("deterministic", "sample")
    with pytest.raises(UserError, match="but corrected is asked for: give --observation official"):
        source.load(SETTING)


def test_run_folder__means_its_best_policy() -> None:
    policies = Path("run/policies")
    policy_file(policies / "003_x.safetensors")
    assert find_agent("run", DEFAULT).path == policies / "003_x.safetensors"
    policy_file(policies / "004_x.safetensors")
    with pytest.raises(UserError, match="run holds 2 policies and none that is called best; name a policy file"):
        find_agent("run", DEFAULT)
    for name in ("policy", "best"):
        policy_file(policies / f"{name}.safetensors")
        assert find_agent("run", DEFAULT).path == policies / f"{name}.safetensors"


def test_workflow__is_the_policy_s_own_or_the_one_that_is_asked_for() -> None:
    policy_file(Path("p.safetensors"), workflow=ORDER, alignment={"lambda": 30.0, "definition": "evictable"})
    own = find_agent("p.safetensors", DEFAULT).workflow
    assert (own.order, own.definition) == (parse_order(ORDER), "evictable")
    options = SourceOptions(order=parse_order(OTHER), definition="any-session")
    for text in ("p.safetensors", "sleep"):
        asked = find_agent(text, options).workflow
        assert (asked.order, asked.definition) == (parse_order(OTHER), "any-session")
    assert isinstance(find_agent("p.safetensors", options).load(SETTING), PolicyAgent)


def test_agent_in_cyborg_s_shape() -> None:
    Path("brought.py").write_text(
        "class Agent:\n    def get_action(self, o, a): return 0\n    def end_episode(self): 0"
    )
    source = find_agent("brought.py:Agent", SourceOptions(arguments={}, cyborg_path=None))
    assert isinstance(source, ForeignSource)
    assert isinstance(source.load(SETTING), ForeignAgent)


def test_team_file() -> None:
    policy_file(Path("p.safetensors"))
    write_team(Path("team.json"), {"sleep": "sleep", "bline": "p.safetensors", "meander": "random"}, "p.safetensors")
    source = find_agent("team.json", DEFAULT)
    assert isinstance(source, TeamSource)
    assert (source.observation, source.actions, source.trained_rules) == ("corrected", "sample", "v2.1")
    assert source.opening == source.members["bline"]
    agent = source.load(SETTING)
    assert isinstance(agent, TeamAgent)
    assert len(agent._all) == 3


@pytest.mark.parametrize("text", ["", "nobody", "p.safetensors", "a:b:", ":Agent", "brought.py:3", "team.json"])
def test_anything_else__is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no policy: expected a policy file, a run folder, a team file"):
        find_agent(text, DEFAULT)


def test_members_that_see_different_tables__are_refused() -> None:
    policy_file(Path("a.safetensors"))
    policy_file(Path("b.safetensors"), observation="official")
    with pytest.raises(UserError, match="see different observations: corrected, official"):
        make_team("team", {"sleep": "sleep", "bline": "a.safetensors", "meander": "b.safetensors"}, "sleep", DEFAULT)


def test_team_of_different_rules_and_kinds__says_neither() -> None:
    policy_file(Path("a.safetensors"))
    policy_file(Path("b.safetensors"), rules="challenge")
    members = {"sleep": "sleep", "bline": "a.safetensors", "meander": "b.safetensors"}
    team = make_team("team", members, "sleep", DEFAULT)
    assert (team.trained_rules, team.observation) == (None, "corrected")
    plain = make_team("team", dict.fromkeys(members, "sleep"), "random", DEFAULT)
    assert (plain.actions, plain.observation) == ("own", None)
    assert plain.opening == BaselineSource("random")


@pytest.mark.parametrize(
    ("text", "members", "opening"),
    [
        ("bline=a,meander=b", {"sleep": "sleep", "bline": "a", "meander": "b"}, "a"),
        ("meander=b, bline=a, sleep=c, opening=d", {"sleep": "c", "bline": "a", "meander": "b"}, "d"),
        ('"bline=a,1=2",meander=b', {"sleep": "sleep", "bline": "a,1=2", "meander": "b"}, "a,1=2"),
        ("bline=a,meander=b,opening=meander", {"sleep": "sleep", "bline": "a", "meander": "b"}, "b"),
    ],
)
def test_team_on_the_command_line(text: str, members: dict[str, str], opening: str) -> None:
    assert parse_team(text) == (members, opening)


@pytest.mark.parametrize(
    "text", ["", "bline=a", "bline=a,meander=", "bline=a,meander=b,green=c", "bline=a,bline=b", "a"]
)
def test_wrong_team_on_the_command_line__is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"--team is .*: expected bline=POLICY,meander=POLICY"):
        parse_team(text)


def test_team_file__runs_code_only_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("brought.py").write_text("open('ran', 'w')\ndef agent(observation): return 0\n")
    Path("model.zip").write_bytes(b"PK")
    for member in ("brought.py:agent", "brought:agent", "model.zip"):
        write_team(tmp_path / "team.json", {"bline": "sleep", "meander": member, "sleep": "sleep"}, "sleep")
        with pytest.raises(UserError, match=r"team\.json names .*, which is code that would run: .* --run-team-code"):
            find_agent("team.json", SourceOptions())
    write_team(tmp_path / "team.json", {"bline": "sleep", "meander": "brought.py:agent", "sleep": "sleep"}, "sleep")
    find_agent("team.json", SourceOptions(team_code=True))
    named = {"bline": "brought.py:agent", "meander": "sleep", "sleep": "sleep"}
    make_team("team", named, "sleep", SourceOptions())
    assert not Path("ran").exists()  # finding is not running


def test_team_in_a_team__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "team.json"
    write_team(path, dict.fromkeys(("bline", "meander", "sleep"), str(path)), str(path))
    write_team(path, dict.fromkeys(("bline", "meander", "sleep"), str(path)), str(path))
    with pytest.raises(UserError, match="a team of its own"):
        find_agent(str(path), SourceOptions())


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_agent_timeout__is_a_time(seconds: float) -> None:
    with pytest.raises(UserError, match="agent-timeout is .*; expected seconds"):
        SourceOptions(timeout_s=seconds)
