"""Champions: what is trained, how it is judged, and the table."""

import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.protocol import LENGTHS, REDS, Cell, Evaluation, EvaluationSettings
from cageflow.runs import runs
from cageflow.runs.interrupt import RunFailedError
from cageflow.settings.reading import make_config
from cageflow.studies import champion, trainings
from cageflow.studies.champion import ChampionSettings, make_settings
from cageflow.studies.champion_table import ChampionTable, ChampionTables, SeedResult
from cageflow.studies.starts import Started
from cageflow.studies.training import Training
from cageflow.work.worker_process import PARENT_CHECK_S
from tests.helpers.networks import own_network

BEGUN = {"rules": "challenge", "start_from": "A"}
ORDER = "enterprise,op_server,defender,op_host,user"


def settings(given: dict[str, Any] | None = None, file: Path | None = None, seeds: tuple[int, ...] = (1, 2)) -> Any:
    return make_settings(given or {}, file, seeds, None)


def test_one_training_has_two_threads_and_several_at_once_have_one_each() -> None:
    assert settings(seeds=(1,)).config.num_threads == 2
    assert settings(seeds=(1, 2)).config.num_threads == 1
    assert settings({"num_threads": 4}, seeds=(1, 2)).config.num_threads == 4
    assert make_settings({}, None, (1,), None, starts=2).config.num_threads == 1


def result(
    seed: int, mean: float, compliance: float | None = None, rules: str = "challenge", scenario: Path | None = None
) -> SeedResult:
    """A seed whose nine cells have the same mean against each red agent but the one that sleeps."""
    cells = tuple(
        Cell(steps, red, np.full(4, 0.0 if red == "SleepAgent" else mean) + [-0.1, 0.1, 0.0, 0.0], compliance, None)
        for steps in LENGTHS
        for red in REDS
    )
    game = GameOptions(rules=rules, scenario=scenario)
    evaluation = Evaluation(BaselineSource("sleep"), EvaluationSettings(game, episodes=4), cells)
    return SeedResult(seed, evaluation, 2000, 12.5)


def table(*results: SeedResult, rules: str = "challenge") -> ChampionTable:
    return ChampionTable(Path("runs/x"), make_config({"command": "train", "rules": rules}), results)


def test_settings__are_those_of_a_champion_unless_others_are_given(tmp_path: Path) -> None:
    config = settings().config
    assert (config.command, config.preset, config.game().red_agent, config.rules) == (
        "train",
        "champion",
        "mixed",
        "mixed",
    )
    assert (config.green_share, config.perturbed_starts) == (0.3, 0.03)
    assert {name for name, _ in config.variation().red_mixture} >= {"B_lineAgent", "RedMeanderAgent", "switch"}
    assert settings({"red_agent": "meander"}).config.red_mixture is None  # who asks for one red agent means it
    assert config.rollout().memory and config.learner().episode_lengths == LENGTHS
    file = tmp_path / "own.yaml"
    file.write_text(f"rules: v2.1\ntotal_episodes: 400\nworkflow: {ORDER}\nppo: {{memory: false}}\n")
    config = settings({"total_episodes": 600, "rules": None}, file).config
    assert (config.rules, config.total_episodes, config.rollout().memory) == ("v2.1", 600, False)
    assert config.workflow == ORDER


def test_training__has_its_seed_and_is_ended_by_nothing_but_its_budget() -> None:
    config = settings({"workflow": ORDER, "total_episodes": 50_000}).training(7, "v2.1")
    assert (config.seed, config.workflow) == (7, ORDER)
    assert config.min_episodes_per_trial == config.patience_updates == 50_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": ()}, "seeds are"),
        ({"seeds": (1, 1)}, "expected different whole numbers"),
        ({"evaluation_episodes": 1}, "evaluation_episodes is 1"),
        ({"config": make_config({"command": "search"})}, "command is 'search'"),
        ({"starts": 0}, "starts is 0; expected a whole number from 1"),
        (
            {
                "remove_habit": True,
                "config": make_config(
                    {"command": "train", "preset": "champion", "rules": "challenge", "start_from": "A"}
                ),
            },
            "start_from is A: expected one of the two",
        ),
        ({"starts": 2, "config": make_config({"command": "train", "total_episodes": 1})}, "expected at least 2"),
    ],
)
def test_impossible_settings__are_refused(changes: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"config": settings().config, "seeds": (1,), "evaluation_episodes": 2}
    with pytest.raises(UserError, match=words):
        ChampionSettings(**{**good, **changes})


def test_mean__is_over_the_seeds_and_so_is_its_error() -> None:
    both = table(result(1, -5.0), result(2, -7.0))
    assert both.total is not None
    assert both.total.mean == pytest.approx(6 * -6.0)
    assert both.seed_sd == pytest.approx(np.std([-30.0, -42.0], ddof=1))
    low, high = both.total.interval()
    assert (high - low) / 2 == pytest.approx(12.7062 * 6.0 * math.sqrt(2) / math.sqrt(2), rel=1e-4)  # Student, 1 degree
    assert both.cell_means() == pytest.approx([-6.0, -6.0, 0.0] * 3)
    assert table(result(1, -5.0)).total is None and table(result(1, -5.0)).seed_sd is None


def test_markdown__has_the_seeds_their_mean_and_the_winner_of_the_rules() -> None:
    lines = table(result(1, -5.0, 0.991), result(2, -7.0, 0.999)).markdown().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| seed 1",
        "| seed 2",
        "| mean",
        "| CardiffUni, the winner",
    ]
    assert lines[2].startswith("| seed 1 | −5.00 | −5.00 | 0.00 | ") and "99.1 % | 2,000 episodes, 12 s |" in lines[2]
    assert "**−36.00**, SD 8.49, 95 % interval −112.24 to 40.24 | 99.5 %" in lines[4]
    assert "−54.57" in lines[5]
    assert len({line.count("|") for line in lines}) == 1
    elsewhere = table(result(1, -5.0, rules="v2.1"), rules="v2.1").markdown()
    assert "−54.57" not in elsewhere and "CardiffUni" in elsewhere


def test_winner__stands_beside_no_other_network(tmp_path: Path) -> None:
    own_network(tmp_path / "own.yaml")
    own = table(result(1, -5.0, scenario=tmp_path / "own.yaml"))
    assert own.winner_cells() is None and "CardiffUni" not in own.markdown()
    assert own.to_json()["network"]["name"] == "Own values"
    assert own.to_json()["seeds"][0]["evaluation"]["network"]["name"] == "Own values"


def test_json__says_all_that_the_table_says() -> None:
    content = table(result(1, -5.0), result(2, -7.0)).to_json()
    assert content["total"] == pytest.approx(-36.0)
    assert [seed["seed"] for seed in content["seeds"]] == [1, 2]
    assert content["seeds"][0]["evaluation"]["total"] == pytest.approx(-30.0)


def test_champions_of_both_rules__are_judged_by_each() -> None:
    asked = settings()
    assert asked.judged_rules == ("v2.1", "challenge")
    assert settings({"rules": "challenge"}).judged_rules == ("challenge",)
    assert [asked.training(7, rules).rules for rules in asked.judged_rules] == ["v2.1", "challenge"]
    assert [asked.folder(7, rules) for rules in asked.judged_rules] == ["seed7-v2.1", "seed7-challenge"]
    assert settings({"rules": "challenge"}).folder(7, "challenge") == "seed7"
    config = make_config({"command": "train", "rules": "mixed"})
    one, other = (
        ChampionTable(Path("runs/x"), config, (result(1, mean, rules=rules), result(2, mean - 1.0, rules=rules)))
        for mean, rules in ((-6.0, "v2.1"), (-5.0, "challenge"))
    )
    both = ChampionTables((one, other))
    assert ChampionTables((one,)).to_json() == one.to_json()
    assert ChampionTables((one,)).markdown() == one.markdown()
    content = both.to_json()
    assert {rules: part["total"] for rules, part in content["rules"].items()} == {"v2.1": -39.0, "challenge": -33.0}
    assert content["config"]["rules"] == "mixed" and "seeds" not in content
    assert both.markdown() == f"Rules `v2.1`:\n\n{one.markdown()}\n\nRules `challenge`:\n\n{other.markdown()}"


def test_training__goes_on_with_what_was_begun_once_its_orphan_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    policy = SimpleNamespace(policy=None)
    monkeypatch.setattr(runs, "start", lambda *_, stop: calls.append("start") or policy)
    monkeypatch.setattr(runs, "resume", lambda *_, wait_s, stop: calls.append(f"{wait_s > PARENT_CHECK_S}") or policy)
    training = Training(settings().training(1), tmp_path)
    assert trainings._train(training) is None
    (tmp_path / "config.json").write_text("{}")
    assert trainings._train(training) is None
    assert calls == ["start", "True"]


def test_training_that_fails__ends_the_run_in_its_words(tmp_path: Path) -> None:
    training = Training(settings().training(1), tmp_path / "run" / "seed1")
    with (
        champion.KIND.new(tmp_path / "run", "champion", "", {}, GameOptions(), lambda words: None) as study,
        pytest.raises(RunFailedError, match=r"^the training with seed 1 failed: .*config\.json"),
    ):
        training.path.mkdir()
        (training.path / "config.json").write_text("no configuration")  # so that its worker refuses it
        trainings.train_all(study, [training], 1)


def test_folder_that_is_removed__ends_the_run_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"

    def remove(_: object, trainings: list[Training], *__: object, **___: object) -> list[Started]:
        shutil.rmtree(run)
        return [Started(training) for training in trainings]

    monkeypatch.setattr(champion, "start_all", remove)
    with pytest.raises(RunFailedError, match="run was removed while the run was going"):
        champion.train_champion(settings(), run, 1, lambda words: None)
