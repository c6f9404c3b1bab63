"""`cageflow evaluate` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cageflow.scenario import load_network
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import Run
from tests.helpers.agents import policy_file

ORDER = "defender,enterprise,op_server,op_host,user"
AGENT = """
class Agent:
    def __init__(self, action=0):
        self.action = action

    def get_action(self, observation, action_space):
        return self.action

    def end_episode(self):
        pass
"""
QUICK = ["--evaluation-episodes", 20]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_run_folder__is_played_through_the_protocol_in_json(plain_run: Run) -> None:
    outcome = cageflow("evaluate", plain_run.path, *QUICK, "--json")
    assert outcome.status == 0, outcome.err
    content = outcome.json
    assert (content["rules"], content["simulator"], content["actions"]) == ("v2.1", "compiled", "sample")
    cells = [(cell["max_steps"], cell["red_agent"]) for cell in content["cells"]]
    reds = ("B_lineAgent", "RedMeanderAgent", "SleepAgent")
    assert cells == [(length, red) for length in (30, 50, 100) for red in reds]
    assert content["total"] == pytest.approx(sum(cell["mean"] for cell in content["cells"]))
    assert all(cell["episodes"] == 20 for cell in content["cells"])
    assert "total" in outcome.err


def test_rules_of_the_challenge__put_it_on_the_board() -> None:
    outcome = cageflow("evaluate", "sleep", "--rules", "challenge", "--evaluation-episodes", 100)
    assert outcome.status == 0
    assert "CardiffUni" in outcome.out
    board = outcome.out[outcome.out.index("leader board") :].splitlines()
    place = next(i for i, line in enumerate(board) if "> " in line)
    assert "CCS Sleeper" in board[place - 1] + board[place + 1 if place + 1 < len(board) else place]
    other = cageflow("evaluate", "sleep", *QUICK)
    assert "Not compared with the leader board, which was judged under the rules challenge" in other.out


def test_several_policies__are_a_list_and_one_board(plain_run: Run) -> None:
    outcome = cageflow("evaluate", "sleep", "random", plain_run.path, "--rules", "challenge", *QUICK, "--json")
    assert [one["policy"] for one in outcome.json["policies"]] == ["sleep", "random", str(plain_run.path)]
    assert sum(line.startswith("   > ") for line in outcome.err.splitlines()) == 3


def test_table__has_all_by_their_totals_and_is_kept(here: Path) -> None:
    several = ("evaluate", "random", "sleep", "react", *QUICK, "--max-steps", "5,9", "--red-agent", "bline,meander")
    outcome = cageflow(*several, "--table", "--out", "boards/board.md", "--json")
    assert outcome.status == 0, outcome.err
    table = outcome.json["table"]
    assert [row["rank"] for row in table] == [1, 2, 3]
    assert [row["total"] for row in table] == sorted((row["total"] for row in table), reverse=True)
    assert [one["policy"] for one in outcome.json["policies"]] == ["random", "sleep", "react"]
    assert "behind the first" in outcome.err and "standard deviation of an episode" not in outcome.err
    board = (here / "boards" / "board.md").read_text().splitlines()
    assert len(board) == 5 and board[0].count("|") == 9 and f"| 1 | {table[0]['policy']} |" in board[2]
    alone = cageflow(*several, "--out", "board.csv")
    assert alone.status == 0 and "behind the first" in alone.out
    assert (here / "board.csv").read_text().startswith("rank,policy,total,total_se,behind")


def test_table_of_other_games__is_refused_before_anything_is_played(here: Path) -> None:
    policy_file(here / "timed.safetensors", network=load_network(None, "cage4"))
    outcome = cageflow("evaluate", "sleep", "timed.safetensors", *QUICK, "--table", "--out", "board.md")
    assert outcome.status == 2
    assert "plays with durations file and timed.safetensors with durations cage4" in outcome.err
    assert not (here / "board.md").exists()
    alike = ("--durations", "cage4", "--max-steps", 5)
    assert cageflow("evaluate", "sleep", "timed.safetensors", *QUICK, *alike, "--table").status == 0


def test_deterministic__changes_what_a_policy_does(plain_run: Run) -> None:
    drawn, likeliest, again = (
        cageflow("evaluate", plain_run.path, *QUICK, *option, "--json").json
        for option in (["--sample"], ["--deterministic"], ["--deterministic"])
    )
    assert (likeliest["actions"], likeliest) == ("deterministic", again)
    assert drawn["total"] != likeliest["total"]


def test_searched_policy__tells_its_compliance(search_run: Run) -> None:
    content = cageflow("evaluate", search_run.path, *QUICK, "--json").json
    assert all(0.0 <= cell["compliance"] <= 1.0 for cell in content["cells"])
    assert content["tested_fixes"] >= 0.0
    assert {"mean", "se", "tested_compliance", "rule_mean"} <= content["perturbed"].keys()
    judged = cageflow("evaluate", search_run.path, *QUICK, "--workflow", ORDER, "--json").json
    assert judged["total"] == content["total"]


def test_team__is_saved_and_evaluated_as_before(plain_run: Run, here: Path) -> None:
    team = f"bline={plain_run.path},meander=random"
    outcome = cageflow("evaluate", "--team", team, "--save-team", "team.json", *QUICK, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["cells"][0]["chosen"] == {"sleep": 0, "bline": 20, "meander": 0}
    assert "chosen against Meander: meander 100.00%" in outcome.err
    saved = cageflow("evaluate", "team.json", *QUICK, "--json")
    assert saved.json["cells"] == outcome.json["cells"]
    played = cageflow("play", "--blue", "team.json", "--max-steps", 3)
    assert played.status == 0, played.err


def test_agent_in_cyborg_s_shape__plays_unchanged(here: Path) -> None:
    (here / "brought.py").write_text(AGENT)
    mine = cageflow("evaluate", "brought.py:Agent", *QUICK, "--json")
    assert mine.status == 0, mine.err
    assert mine.json["cells"] == cageflow("evaluate", "sleep", *QUICK, "--json").json["cells"]
    other = cageflow("evaluate", "brought:Agent", *QUICK, "--agent-args", '{"action": 140}', "--json")
    assert other.json["total"] != mine.json["total"]
    assert cageflow("play", "--blue", "brought.py:Agent", "--max-steps", 3).status == 0


def test_part_of_the_protocol(here: Path) -> None:
    options = ["--max-steps", "5,5,7", "--red-agent", "meander,RedMeanderAgent"]
    content = cageflow("evaluate", "random", *options, *QUICK, "--json").json
    cells = [(cell["max_steps"], cell["red_agent"]) for cell in content["cells"]]
    assert cells == [(5, "RedMeanderAgent"), (7, "RedMeanderAgent")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "there is nobody to evaluate; name a policy, or a team by --team"),
        ("nobody.safetensors", "'nobody.safetensors' is no policy: expected a policy file, a run folder"),
        ("empty", "empty holds no policy; name a policy file"),
        ("sleep.txt", "sleep.txt is no policy file or is truncated"),
        ("sleep --rules v3", "rules is 'v3'; possible are v2.1, challenge, mixed"),
        ("sleep --observation best", "observation is 'best'"),
        ("sleep --red-agent blue", "'blue' is no red agent"),
        ("sleep --max-steps 0", "--max-steps is '0': expected whole numbers from 1"),
        ("sleep --max-steps 99999", "--max-steps is 99999"),
        ("sleep --evaluation-episodes 1", "--evaluation-episodes is '1'"),
        ("sleep --n-workers 0", "n-workers is 0"),
        ("sleep --scenario missing.yaml", "missing.yaml"),
        ("sleep --simulator best", "--simulator is 'best'; possible are compiled and cyborg"),
        ("sleep --simulator cyborg", "CybORG is to be played on; name its folder by --cyborg-path"),
        ("sleep --both", "CybORG is to be played on; name its folder by --cyborg-path"),
        ("sleep --both --cyborg-path empty", "empty holds no CybORG"),
        ("sleep --margin 1", "--cyborg-episodes and --margin are for --both"),
        ("sleep --both --cyborg-path empty --cyborg-episodes 1", "--cyborg-episodes is 1"),
        ("sleep --team bline=sleep", "--team is 'bline=sleep': expected bline=POLICY,meander=POLICY"),
        ("--team bline=sleep,meander=nobody", "'nobody' is no policy"),
        ("sleep --save-team team.json", "--save-team needs a team"),
        ("sleep --out board.txt", "--out is board.txt: name a file that ends in .md or .csv"),
        ("--team bline=sleep,meander=sleep --save-team /dev/null/team.json", "/dev/null is a file: name another place"),
        ("sleep --workflow user", "lacks 'defender' and"),
        (
            "sleep --compliance-definition best",
            "--compliance-definition is 'best'; possible are any-session, evictable",
        ),
        ("brought.py:Agent --agent-args 3", "--agent-args is '3'; expected a JSON object"),
        ("brought.py:Nobody", "has no 'Nobody'; agents in it are Agent"),
        ("missing.py:Agent", "there is no file missing.py"),
        ("brought.py:Agent --agent-args '{\"action\": 999}'", "brought.py:Agent answered 999 in step 1"),
        ("brought.py:Agent --agent-args '{\"size\": 1}'", "unexpected keyword argument 'size'"),
        ("official.safetensors --observation corrected", "was trained on the official observation, but corrected is"),
    ],
)
def test_nonsense__is_refused_in_one_sentence(here: Path, arguments: str, words: str) -> None:
    import shlex

    (here / "empty").mkdir()
    (here / "sleep.txt").write_text("Zzz")
    (here / "brought.py").write_text(AGENT)
    policy_file(here / "official.safetensors", observation="official")
    before = sorted(here.rglob("*.json"))
    outcome = cageflow("evaluate", *shlex.split(arguments))
    assert outcome.status == 2, outcome
    assert outcome.err.startswith("cageflow: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert words in outcome.err
    assert sorted(here.rglob("*.json")) == before


SLOW = """
import os, pathlib, time

class Agent:
    def get_action(self, observation, action_space):
        pathlib.Path(f"{os.getpid()}.pid").touch()
        time.sleep(0.05)
        return 0

    def end_episode(self):
        pass
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_end_of_the_command__is_the_end_of_its_processes(here: Path, number: signal.Signals, status: int) -> None:
    (here / "slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "cageflow", "evaluate", "slow.py:Agent", "--n-workers", "2"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 200
    while len(list(here.glob("*.pid"))) < 2:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as the terminal does
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    said = [line for line in err.splitlines() if not line.startswith(("loading", "compiling"))]
    assert number != signal.SIGINT or said == ["cageflow: stopped by SIGINT"]
    workers = [int(path.stem) for path in here.glob("*.pid")]
    while any(is_alive(worker) for worker in workers):
        assert time.monotonic() < until, "a worker outlived the command"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.cyborg
def test_both__play_the_same_policy_and_agree(plain_run: Run, cyborg_path: Path) -> None:
    options = ["--both", "--cyborg-path", cyborg_path, "--evaluation-episodes", 300, "--cyborg-episodes", 12]
    cells = ["--max-steps", "10", "--red-agent", "bline,sleep", "--n-workers", 2, "--margin", 3]
    outcome = cageflow("evaluate", plain_run.path, *options, *cells, "--json")
    assert outcome.status == 0, outcome.err
    content = outcome.json
    assert [cell["episodes"] for cell in content["cyborg"]["cells"]] == [12, 12]
    assert [test["verdict"] for test in content["equivalence"]["cells"]] == ["equivalent"] * 2
    assert "all 2 cells equivalent" in outcome.err


@pytest.mark.cyborg
def test_cyborg__plays_the_agents_and_says_which_rules(cyborg_path: Path, here: Path) -> None:
    (here / "brought.py").write_text(
        "from CybORG.Agents import BaseAgent\n" + AGENT.replace("Agent:", "Agent(BaseAgent):")
    )
    options = [
        "--simulator",
        "cyborg",
        "--cyborg-path",
        cyborg_path,
        "--evaluation-episodes",
        4,
        "--max-steps",
        5,
        "--n-workers",
        1,
    ]
    outcome = cageflow("evaluate", "sleep", "random", "brought.py:Agent", *options, "--json")
    assert outcome.status == 0, outcome.err
    sleep, random, brought = outcome.json["policies"]
    assert sleep["simulator"] == "cyborg"
    assert sleep["cells"] == brought["cells"]
    assert random["total"] < 0.0
    wrong = {"v2.1": "challenge", "challenge": "v2.1"}[sleep["rules"]]
    refused = cageflow("evaluate", "sleep", *options, "--rules", wrong)
    assert (refused.status, f"plays {sleep['rules']}" in refused.err) == (2, True)


def test_saved_team__is_plain_json(here: Path) -> None:
    cageflow("evaluate", "--team", "bline=random,meander=sleep", "--save-team", "team.json", *QUICK)
    assert json.loads((here / "team.json").read_text())["members"] == {
        "sleep": "sleep",
        "bline": "random",
        "meander": "sleep",
    }


QUITS = """
import sys

class Agent:
    def get_action(self, o, a):
        sys.exit(0)

def hangs(observation):
    while True:
        pass
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("evaluate quits.py:Agent --json", "quits.py:Agent ended itself by sys.exit(0) in get_action."),
        ("play --blue quits.py:Agent", "quits.py:Agent ended itself by sys.exit(0) in get_action."),
        ("play --blue quits.py:hangs --agent-timeout 5", "gave no answer in step 1 within 5 s"),
        ("play --blue quits.py", "quits.py is code in Python: name the agent in it, such as quits.py:Agent"),
        ("evaluate --team bline=quits.py:Agent,meander=sleep --json", "ended itself by sys.exit(0) in get_action."),
    ],
)
def test_agent_that_quits_or_hangs__is_a_sentence_and_no_success(here: Path, arguments: str, words: str) -> None:
    (here / "quits.py").write_text(QUITS)
    outcome = cageflow(*arguments.split())
    assert outcome.status == 2, outcome
    assert words in outcome.err and "Traceback" not in outcome.err
