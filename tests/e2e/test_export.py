"""`cageflow export` as a user types it, and the example of its document, which knows nothing of cageflow."""

import ast
import random
import re
import runpy
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from cageflow.agents.team import MEMBERS, write_team
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.envs.single import Cage2Env
from cageflow.export.check import EPISODES, RANDOM_OBSERVATIONS
from cageflow.learn.policy import ANY_WORKFLOW, Policy, made_for
from cageflow.learn.policy_file import load_policy, save_policy
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import Run
from tests.helpers import cyborg_stub
from tests.helpers.agents import NETWORK, policy, policy_file

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "defend_cyborg.py"
DOCUMENT = ROOT / "docs" / "export.md"
ORDER = "defender,enterprise,op_server,op_host,user"
OTHER = "user,op_host,op_server,enterprise,defender"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def universal_file(path: Path) -> Path:
    """A universal policy with random weights."""
    rng = np.random.default_rng(3)
    shapes = [(8, 77), (145, 8)]
    layers = [(rng.normal(size=size).astype(np.float32), np.zeros(size[0], np.float32)) for size in shapes]
    card = replace(policy().card, workflow=ANY_WORKFLOW, **made_for(NETWORK, memory=False, ordered=True))
    save_policy(path, Policy(card, layers))
    return path


def said_by(path: Path) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(path).metadata_props}


def test_run_folder__gives_a_file_and_a_card_with_its_evaluation(plain_run: Run, here: Path) -> None:
    Path("made").mkdir()
    outcome = cageflow("export", plain_run.path, "--out", "made", "--evaluation-episodes", 20, "--json")
    assert outcome.status == 0, outcome.err
    content = outcome.json
    assert (content["model"], content["card"]) == ("made/policy.onnx", "made/policy.md")
    assert said_by(here / "made" / "policy.onnx")["training_episodes"] == "20"
    assert content["difference"] < 1e-4
    assert content["masks"] > 0
    drawn, likeliest = content["evaluations"]
    assert (drawn["actions"], likeliest["actions"]) == ("sample", "deterministic")
    alone = cageflow("evaluate", plain_run.path, "--evaluation-episodes", 20, "--json").json
    assert drawn["cells"] == alone["cells"]
    card = (here / "made" / "policy.md").read_text()
    for evaluation in content["evaluations"]:
        assert f"Total {evaluation['total']:.2f} ±" in card
        assert all(f"{cell['mean']:.2f} ±" in card for cell in evaluation["cells"])
    for words in ("`B_lineAgent`", "`v2.1`", "| episodes | 20 |", "plain PPO", "green agent asleep", "MIT"):
        assert words in card
    again = cageflow("export", plain_run.path, "--out", "made", "--evaluation-episodes", 0, "--json")
    assert again.json["evaluations"] == []
    assert "None was asked for" in (here / "made" / "policy.md").read_text()


def test_universal_policy__follows_the_workflow_that_is_asked_for(here: Path) -> None:
    universal_file(here / "universal.safetensors")
    outcome = cageflow("export", "universal.safetensors", "--workflow", OTHER, "--evaluation-episodes", 0)
    name = f"universal_{OTHER.replace(',', '-')}"
    assert outcome.status == 0, outcome.err
    assert outcome.out == f"Wrote {name}.onnx and its model card {name}.md.\n"
    assert said_by(here / f"{name}.onnx")["workflow"] == OTHER
    assert OTHER.replace(",", " > ") in (here / f"{name}.md").read_text()


@pytest.mark.parametrize(
    "game",
    [{"durations": "2,3,5,2"}, {"scenario": "cage1"}, {"scenario": "cage1", "durations": "cage4"}],
    ids=str,
)
def test_file_of_a_game_with_other_rules__plays_as_its_policy_does(here: Path, game: dict[str, str]) -> None:
    network = GameOptions(**game).network
    policy_file(here / "p.safetensors", network=network, memory=True)
    options = [part for name, value in game.items() for part in (f"--{name}", value)]
    outcome = cageflow("export", "p.safetensors", "--evaluation-episodes", 0, "--json", *options)
    assert outcome.status == 0, outcome.err
    assert outcome.json["masks"] == RANDOM_OBSERVATIONS + EPISODES * 100  # on random tables and in every step
    assert ("steps of an action" in (here / "p.md").read_text()) == ("durations" in game)
    how = ["--deterministic", "--evaluation-episodes", 4, "--max-steps", 30, "--red-agent", "meander", "--json"]
    played = [cageflow("evaluate", name, *how, *options) for name in ("p.safetensors", "p.onnx")]
    assert [one.status for one in played] == [0, 0], played[1].err
    assert played[0].json["cells"] == played[1].json["cells"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("missing.safetensors", "there is no policy file, run folder or champion missing.safetensors"),
        ("empty", "empty holds no policy; name a policy file"),
        ("sleep.txt", "sleep.txt is no policy file or is truncated"),
        ("team.json", "team.json is no trained policy; expected a policy file or a run folder"),
        ("universal.safetensors", "is universal: say by --workflow which order it is to follow"),
        (f"ordered.safetensors --workflow {OTHER}", f"it follows {ORDER}, but {OTHER} is wanted here"),
        ("ordered.safetensors --workflow user", "lacks 'defender'"),
        ("ordered.safetensors --evaluation-episodes 1", "episodes is 1; expected 0 for no evaluation, or at least 2"),
        ("ordered.safetensors --evaluation-episodes -5", "--evaluation-episodes is '-5'"),
        ("ordered.safetensors --out README.onnx", "README.md is there and is no model card"),
        ("ordered.safetensors --out sleep.txt", "--out is sleep.txt: name a file that ends in .onnx"),
        ("ordered.safetensors --out folder.onnx", "folder.onnx, which is a folder"),
        ("ordered.safetensors --scenario missing.yaml", "missing.yaml"),
        ("small.safetensors", "small.safetensors reads 52 bits and has 3 actions, but the game has 52 and 145"),
    ],
)
def test_nonsense__is_refused_in_one_sentence_and_writes_nothing(here: Path, arguments: str, words: str) -> None:
    for name in ("empty", "folder.onnx"):
        (here / name).mkdir()
    (here / "sleep.txt").write_text("Zzz")
    (here / "README.md").write_text("mine")
    write_team(here / "team.json", dict.fromkeys(MEMBERS, "sleep"), "sleep")
    universal_file(here / "universal.safetensors")
    policy_file(here / "ordered.safetensors", workflow=ORDER)
    says_nothing = replace(policy().card, network=None, action_set=None, sizes={})
    layers = [(np.zeros((3, 52), np.float32), np.zeros(3, np.float32))]
    save_policy(here / "small.safetensors", Policy(says_nothing, layers))
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    outcome = cageflow("export", *shlex.split(arguments))
    assert outcome.status == 2, outcome
    assert outcome.err.startswith("cageflow: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert words in outcome.err
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before


@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_missing_extra__is_told_with_the_line_that_installs_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    outcome = cageflow("export", policy_file(here / "p.safetensors"), "--evaluation-episodes", 0)
    assert outcome.status == 2
    assert outcome.err == f"cageflow: export needs {module}, which is not installed: pip install 'cageflow[onnx]'\n"


# The example.


def test_example__imports_nothing_of_cageflow() -> None:
    tree = ast.parse(EXAMPLE.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    libraries = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert libraries == {"numpy", "onnxruntime", "CybORG"}


def test_lines_of_the_document__run(here: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    cageflow("export", policy_file(here / "policy.safetensors", seed=5), "--evaluation-episodes", 0)
    played: list[int] = []
    table = np.zeros((1, 52), np.float32)

    def game(action: np.ndarray) -> np.ndarray:
        played.append(int(action[0]))
        return table

    exec(code, {"game": game})
    assert len(played) == 100
    assert played[0] != 1 and 0 <= min(played) <= max(played) < 145


def exported(folder: Path, **card: Any) -> tuple[Path, Policy]:
    """A small random policy, exported."""
    path = policy_file(folder / "p.safetensors", seed=5, **card)
    outcome = cageflow("export", path, "--evaluation-episodes", 0)
    assert outcome.status == 0, outcome.err
    return path.with_suffix(".onnx"), load_policy(path)


def returns_of_policy(source: Policy, env: Any, seeds: list[int], steps: int) -> list[float]:
    """Its returns as cageflow plays it, likeliest actions, in an environment."""
    masks = BlueMemory(GameOptions(observation=source.card.observation))
    returns = []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        masks.reset()
        rewards = []
        for _ in range(steps):
            given = {"masks": masks.masks().astype(np.uint8)} if source.card.mask_actions else {}
            actions = source.act(observation[None], deterministic=True, **given)
            observation, reward, _, _, _ = env.step(int(actions[0]))
            masks.update(actions, observation[None])
            rewards.append(reward)
        returns.append(round(sum(rewards), 1))
    return returns


@pytest.mark.parametrize("card", [{}, {"mask_actions": False}, {"observation": "official", "workflow": ORDER}], ids=str)
def test_example__plays_as_cageflow_does(here: Path, monkeypatch: pytest.MonkeyPatch, card: dict[str, Any]) -> None:
    cyborg_stub.install(monkeypatch)
    path, source = exported(here, **card)
    example = runpy.run_path(str(EXAMPLE))
    seeds = list(range(20))
    returns = example["play"](example["Defender"](path), "RedMeanderAgent", 50, seeds)
    env = Cage2Env("RedMeanderAgent", observation=source.card.observation, max_steps=50)
    drawn = []
    for seed in seeds:
        random.seed(seed)
        drawn.append(random.getrandbits(32))
    assert returns == returns_of_policy(source, env, drawn, 50)
    assert len(set(returns)) > 1


def test_example__mends_the_table(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cyborg_stub.install(monkeypatch)
    example = runpy.run_path(str(EXAMPLE))
    game = cyborg_stub.CybORG("Scenario2.yaml", "sim", {"Red": "RedMeanderAgent"})
    hosts = list(game.official.network.hosts)
    random.seed(1)
    rng = np.random.default_rng(1)
    decoys = [i for i, name in enumerate(game.official.codec.names) if name.startswith("DecoyVsftpd")]
    for _ in range(10):
        table = game.start()
        normal = game.get_observation("Blue")
        for _ in range(100):
            table, _ = game.play(int(rng.choice(decoys)))
            np.testing.assert_array_equal(
                example["corrected"](table, hosts, normal, game.get_observation("Blue")), game.tables[1]
            )
    assert game.num_hidden > 0, "nothing was hidden, so nothing was tested"


def test_example__is_run_as_the_document_says(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cyborg_stub.install(monkeypatch)
    path, _ = exported(here)
    for options in ([], ["--sample", "--red-agent", "RedMeanderAgent"]):
        monkeypatch.setattr(sys, "argv", ["example", str(path), "--steps", "10", "--episodes", "3", *options])
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        said = capsys.readouterr().out
        assert re.fullmatch(r"10 steps against \w+: -?[\d.]+ ± [\d.]+ \(standard error\)\n", said), said


@pytest.mark.cyborg
@pytest.mark.parametrize("observation", ["corrected", "official"])
def test_example__plays_cyborg_as_cageflow_does(
    here: Path, monkeypatch: pytest.MonkeyPatch, cyborg_path: Path, observation: str
) -> None:
    from cageflow.envs.cyborg import CyborgEnv

    env = CyborgEnv(cyborg_path, "RedMeanderAgent", observation=observation, max_steps=50)
    path, source = exported(here, observation=observation)
    example = runpy.run_path(str(EXAMPLE))
    returns = example["play"](example["Defender"](path), "RedMeanderAgent", 50, range(3))
    assert returns == returns_of_policy(source, env, [0, 1, 2], 50)
