"""The nine cells: who is played how long, on which episodes, and what adds up."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from cageflow.agents.own_game import own_game
from cageflow.agents.sources import SourceOptions, find_agent, make_team
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, RANDOM, perturbing_actions
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.evaluation.protocol import LENGTHS, REDS, EvaluationSettings, evaluate
from cageflow.evaluation.work import Share, play_shares
from cageflow.scenario import default_network
from cageflow.work.pool import WorkerError
from tests.helpers.agents import SETTING, policy_file, red_policy_file

DEFAULT = SourceOptions()
SMALL = EvaluationSettings(episodes=20, lengths=(3, 5), red_agents=REDS[:2])


def test_protocol__is_the_challenge_s() -> None:
    settings = EvaluationSettings()
    assert (settings.lengths, settings.episodes) == ((30, 50, 100), 1000)
    assert settings.red_agents == ("B_lineAgent", "RedMeanderAgent", "SleepAgent")
    assert settings.is_whole
    for change in ({"lengths": (30, 50)}, {"red_agents": REDS[:2]}, {"game": GameOptions(green=True)}):
        assert not replace(settings, **change).is_whole


def judged_by(path: Path, protocol: dict[str, object] | None, *, has_way: bool = True) -> Path:
    """The file of CAGE-2's network with a protocol of its own, or one where nobody tells red of another subnet."""
    content = default_network().scenario.model_dump(mode="json", exclude_defaults=True)
    if protocol is not None:
        content["protocol"] = protocol
    if not has_way:
        del content["red"]["b_line"]
        for host in content["hosts"].values():
            host.pop("reveals", None)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_protocol_of_a_network__stands_in_its_file_and_does_not_make_it_another(tmp_path: Path) -> None:
    path = judged_by(tmp_path / "own.yaml", {"max_steps": [4, 9], "red_agents": ["meander", "sleep"]})
    settings = EvaluationSettings(GameOptions(scenario=path), episodes=2)
    assert (settings.lengths, settings.red_agents) == ((4, 9), ("RedMeanderAgent", "SleepAgent"))
    assert (settings.left_out, settings.notes, settings.is_whole) == ((), (), False)
    assert settings.network == default_network().identity
    asked = replace(settings, lengths=(3,), red_agents=("B_lineAgent",))
    cells = evaluate(find_agent("sleep", DEFAULT), asked).cells
    assert [(cell.max_steps, cell.red_agent) for cell in cells] == [(3, "B_lineAgent")]
    with pytest.raises(UserError, match=r"line \d+: protocol.red_agents: 'blue' is no red agent"):
        EvaluationSettings(GameOptions(scenario=judged_by(path, {"red_agents": ["blue"]})))


def test_red_agent_without_a_way__is_left_out_and_that_is_said_unless_it_is_asked_for(tmp_path: Path) -> None:
    game = GameOptions(scenario=judged_by(tmp_path / "no_way.yaml", {"max_steps": [2]}, has_way=False))
    evaluation = evaluate(find_agent("sleep", DEFAULT), EvaluationSettings(game, episodes=2))
    assert [cell.red_agent for cell in evaluation.cells] == ["RedMeanderAgent", "SleepAgent"]
    (note,) = evaluation.to_json()["notes"]
    assert "B_lineAgent has no way through" in note and note.endswith("so that it is left out of the protocol")
    asked = EvaluationSettings(game, episodes=2, red_agents=("B_lineAgent",))
    with pytest.raises(UserError, match="B_lineAgent has no way through"):
        evaluate(find_agent("sleep", DEFAULT), asked)
    only = judged_by(tmp_path / "only.yaml", {"red_agents": ["bline"]}, has_way=False)
    with pytest.raises(UserError, match="B_lineAgent has no way through"):
        evaluate(find_agent("sleep", DEFAULT), EvaluationSettings(GameOptions(scenario=only), episodes=2))


def test_cells__come_by_length_and_red_agent_with_episodes_of_their_own() -> None:
    evaluation = evaluate(find_agent("random", DEFAULT), replace(SMALL, episodes=200, lengths=LENGTHS, red_agents=REDS))
    assert [(cell.max_steps, cell.red_agent) for cell in evaluation.cells] == [
        (n, red) for n in LENGTHS for red in REDS
    ]
    means = {(cell.max_steps, cell.red_agent): cell.summary.mean for cell in evaluation.cells}
    for red in REDS:
        assert means[100, red] < means[50, red] < means[30, red]
    assert means[100, "B_lineAgent"] == pytest.approx(-744.56, abs=5 * 361 / math.sqrt(200))
    assert means[100, "RedMeanderAgent"] == pytest.approx(-580.92, abs=5 * 284 / math.sqrt(200))


def test_total__is_the_sum_of_the_means() -> None:
    evaluation = evaluate(find_agent("random", DEFAULT), SMALL)
    summaries = [cell.summary for cell in evaluation.cells]
    assert evaluation.total.mean == pytest.approx(sum(one.mean for one in summaries))
    assert evaluation.total.se == pytest.approx(math.sqrt(sum(one.se**2 for one in summaries)))


def test_seed__decides_everything() -> None:
    source = find_agent("random", DEFAULT)
    first, again, other = (evaluate(source, replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    for a, b, c in zip(first.cells, again.cells, other.cells, strict=True):
        assert np.array_equal(a.returns, b.returns)
        assert not np.array_equal(a.returns, c.returns)


def test_all_policies__meet_the_same_games_in_a_cell_and_other_ones_in_the_next() -> None:
    settings = replace(SMALL, lengths=(30, 31), red_agents=("B_lineAgent",), episodes=100)
    a, b = (evaluate(find_agent("sleep", DEFAULT), settings).cells for _ in range(2))
    assert np.array_equal(a[0].returns, b[0].returns)
    assert not np.array_equal(np.sort(a[0].returns), np.sort(a[1].returns - (a[1].returns - a[0].returns).mean()))


def test_rules__reach_the_games(tmp_path: Path) -> None:
    source = find_agent(str(policy_file(tmp_path / "p.safetensors", mask_actions=False)), DEFAULT)
    settings = replace(SMALL, lengths=(100,), episodes=50)
    a, b = (evaluate(source, replace(settings, game=GameOptions(rules=rules))) for rules in ("v2.1", "challenge"))
    assert any(not np.array_equal(x.returns, y.returns) for x, y in zip(a.cells, b.cells, strict=True))


def test_observation__is_the_policy_s_own(tmp_path: Path) -> None:
    official = find_agent(str(policy_file(tmp_path / "p.safetensors", observation="official")), DEFAULT)
    sleep = find_agent("sleep", DEFAULT)
    assert [own_game(one).observation for one in (official, sleep, None)] == ["official", "corrected", "corrected"]
    assert own_game(sleep, observation="official").observation == "official"
    evaluation = evaluate(official, replace(SMALL, game=own_game(official)))
    assert evaluation.to_json()["observation"] == "official"
    with pytest.raises(UserError, match="was trained on the official observation, but corrected is asked for"):
        evaluate(official, replace(SMALL, game=own_game(official, observation="corrected")))


def test_compliance__is_measured_where_there_is_an_order(tmp_path: Path) -> None:
    order = "enterprise,op_server,user,op_host,defender"
    alignment = {"lambda": 30.0, "definition": "any-session"}
    path = policy_file(tmp_path / "p.safetensors", workflow=order, alignment=alignment)
    evaluation = evaluate(find_agent(str(path), DEFAULT), replace(SMALL, lengths=(30, 40)))
    assert all(0.0 <= cell.compliance <= 1.0 for cell in evaluation.cells)
    assert evaluate(find_agent("sleep", DEFAULT), SMALL).cells[0].compliance is None
    content = evaluation.to_json()
    assert "compliance" in content["cells"][0]
    assert content["tested_fixes"] == pytest.approx(np.mean([cell["tested_fixes"] for cell in content["cells"]]))
    assert content["true_tested_fixes"] > 0.0
    assert 0.0 <= content["true_tested_compliance"] <= 1.0


def test_perturbed_starts__are_played_against_who_attacks_and_beside_the_rule_by_flags(tmp_path: Path) -> None:
    alignment = {"lambda": 30.0, "definition": "any-session"}
    path = policy_file(
        tmp_path / "p.safetensors", workflow="user,enterprise,op_server,op_host,defender", alignment=alignment
    )
    asked = replace(SMALL, red_agents=REDS, lengths=(3, 20), perturbed_episodes=10)
    evaluation = evaluate(find_agent(str(path), DEFAULT), asked)
    perturbed = evaluation.to_json()["perturbed"]
    assert (perturbed["steps"], perturbed["max_steps"], perturbed["episodes"]) == (25, 20, 40)
    cells = [(cell["start"], cell["red_agent"]) for cell in perturbed["cells"]]
    assert cells == [(start, red) for start in ("asleep", "random") for red in REDS[:2]]
    for name in ("mean", "rule_mean", "tested_fixes", "compliance"):
        assert perturbed[name] == pytest.approx(np.mean([cell[name] for cell in perturbed["cells"]]))
        assert perturbed[name] == pytest.approx(np.mean([part[name] for part in perturbed["starts"].values()]))
    assert perturbed["se"] == pytest.approx(np.sqrt(sum(cell["se"] ** 2 for cell in perturbed["cells"])) / 4)
    assert 0.0 < perturbed["tested_compliance"] < 1.0
    rule = evaluate(find_agent("flagged", DEFAULT), asked).perturbed
    assert rule is not None and rule.mean == rule.rule_mean == (perturbed["rule_mean"], perturbed["rule_se"])
    assert evaluate(find_agent("sleep", DEFAULT), replace(asked, red_agents=REDS[2:])).perturbed is not None
    assert "perturbed" not in evaluate(find_agent("sleep", DEFAULT), SMALL).to_json()
    with pytest.raises(UserError, match="perturbed is 1; expected 0 for none, or from 2 to"):
        replace(SMALL, perturbed_episodes=1)


def test_perturbed_starts_against_a_red_that_learned__are_games_in_which_the_steps_were_played(tmp_path: Path) -> None:
    red = str(red_policy_file(tmp_path / "red.safetensors"))
    asked = replace(SMALL, red_agents=(red,), lengths=(20,), perturbed_episodes=8)
    perturbed = evaluate(find_agent("sleep", DEFAULT), asked).perturbed
    assert perturbed is not None and [cell.start for cell in perturbed.cells] == ["asleep", "random"]
    for cell in perturbed.cells:
        seeds = EpisodeStream(asked.seed, f"evaluate compiled {cell.start} 20 {red}").seeds(0, 8)
        games = GameBatch(GameOptions(red, max_steps=20 + PERTURBING_STEPS), 8)
        seen, actions, rewards = np.empty((8, 52), np.uint8), np.zeros(8, np.int16), np.empty((45, 8), np.float32)
        games.begin(seeds, seen)
        for step, row in enumerate(rewards):
            actions[:] = 0
            if cell.start == "random" and step < PERTURBING_STEPS:
                perturbing_actions(seeds, step, RANDOM, 145, actions)
            games.play(actions, seen, row)
        assert cell.returns == pytest.approx(rewards[PERTURBING_STEPS:].sum(axis=0), abs=1e-4)
        assert (cell.returns < 0).any(), "red does something"


def test_perturbed_episodes__are_the_same_however_many_processes_play_them() -> None:
    asked = replace(SMALL, perturbed_episodes=8)
    alone, shared = (
        evaluate(find_agent("flagged", DEFAULT), replace(asked, num_workers=workers)).perturbed for workers in (1, 2)
    )
    assert alone is not None and shared is not None
    assert [cell.returns.tolist() for cell in alone.cells] == [cell.returns.tolist() for cell in shared.cells]


def test_team__counts_whom_it_chose() -> None:
    team = make_team("team", {"sleep": "sleep", "bline": "random", "meander": "random"}, "sleep", DEFAULT)
    evaluation = evaluate(team, replace(SMALL, lengths=(6,), red_agents=REDS))
    chosen = [dict(cell.chosen) for cell in evaluation.cells]
    assert chosen == [
        {"sleep": 0, "bline": 20, "meander": 0},
        {"sleep": 0, "bline": 0, "meander": 20},
        {"sleep": 20, "bline": 0, "meander": 0},
    ]


def test_json__keeps_to_the_contract() -> None:
    content = json.loads(json.dumps(evaluate(find_agent("random", DEFAULT), SMALL).to_json()))
    assert {"policy", "rules", "simulator", "cells", "total", "total_se"} <= content.keys()
    assert (content["policy"], content["rules"], content["simulator"]) == ("random", "v2.1", "compiled")
    cell = content["cells"][0]
    assert {"max_steps", "red_agent", "mean", "se", "episodes"} <= cell.keys()
    assert (cell["max_steps"], cell["red_agent"], cell["episodes"]) == (3, "B_lineAgent", 20)
    assert cell["interval"][0] <= cell["mean"] <= cell["interval"][1]
    assert cell["worst"] < cell["mean"], "of 20 episodes that are not alike"


def test_worker_processes__change_no_figure(tmp_path: Path) -> None:
    source = find_agent(str(policy_file(tmp_path / "p.safetensors")), DEFAULT)
    settings = replace(SMALL, episodes=130, lengths=(30,))
    here, there = evaluate(source, settings), evaluate(source, replace(settings, num_workers=2))
    for a, b in zip(here.cells, there.cells, strict=True):
        assert np.array_equal(a.returns, b.returns)


def test_worker_that_dies__ends_the_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deadly.py").write_text("import os\nclass Agent:\n    def get_action(self, o, a): os.kill(os.getppid(), 9)\n")
    source = find_agent("deadly.py:Agent", DEFAULT)
    with pytest.raises(WorkerError, match=r"a process that played deadly\.py:Agent died") as caught:
        evaluate(source, replace(SMALL, num_workers=2))
    assert caught.value.exit_status == 1


def test_worker_that_dies_once__changes_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mortal.py").write_text(
        "import os, pathlib\nclass Agent:\n    def get_action(self, o, a):\n"
        "        grave = pathlib.Path('grave')\n        if not grave.exists():\n"
        "            grave.touch()\n            os.kill(os.getppid(), 9)\n        return 0\n"
        "    def end_episode(self): 0\n"
    )
    there = evaluate(find_agent("mortal.py:Agent", DEFAULT), replace(SMALL, num_workers=2))
    assert Path("grave").exists()
    here = evaluate(find_agent("sleep", DEFAULT), SMALL)
    assert [cell.returns.tolist() for cell in there.cells] == [cell.returns.tolist() for cell in here.cells]


def test_error_in_a_worker__is_the_user_s_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.py").write_text(
        "class Agent:\n    def get_action(self, o, a): return 999\n    def end_episode(self): 0\n"
    )
    with pytest.raises(UserError, match=r"wrong\.py:Agent answered 999 in step 1"):
        evaluate(find_agent("wrong.py:Agent", DEFAULT), replace(SMALL, num_workers=2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"episodes": 1}, "episodes is 1; a mean with its error needs at least 2"),
        ({"num_workers": 0}, "n-workers is 0"),
        ({"cyborg_path": Path("x"), "game": GameOptions(scenario=Path("y"))}, "CybORG plays its own network"),
        ({"cyborg_path": Path("x"), "game": GameOptions(durations="cage4")}, "each action of CybORG takes one step"),
    ],
)
def test_impossible_settings__are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        replace(SMALL, **change)


def test_cells__are_handed_over_whole_whatever_share_ends_first() -> None:
    from cageflow.collect import EpisodeStream, GameSpec

    specs = [GameSpec(GameOptions("bline", max_steps=length), masked=True) for length in (3, 4)]
    seeds = EpisodeStream(0, "test").seeds(0, 6)
    shares = [Share((i, "x"), spec, seeds[j : j + 2], None) for i, spec in enumerate(specs) for j in (0, 2, 4)]
    results = dict(play_shares(find_agent("random", DEFAULT), SETTING, shares, num_workers=0))
    assert [len(results[i, "x"].returns) for i in range(2)] == [6, 6]
