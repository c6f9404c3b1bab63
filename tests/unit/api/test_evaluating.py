"""Evaluations from Python."""

from pathlib import Path

import pytest

import cageflow
from tests.helpers.agents import policy_file

QUICK = {"evaluation_episodes": 6, "max_steps": (5, 7), "red_agent": "bline,meander"}


def asleep(observation: object) -> int:
    return 0


def test_one_or_several_of_any_kind_give_evaluations_and_rows(tmp_path: Path) -> None:
    path = policy_file(tmp_path / "policy.safetensors")
    told: list[cageflow.Progress] = []
    loaded = cageflow.load_policy(path, deterministic=True)
    found = cageflow.evaluate(["sleep", path, loaded, asleep], progress=told.append, **QUICK)
    assert [one.source.name for one in found] == ["sleep", str(path), str(path), "asleep"]
    assert len(found) == 4 and found[3].total == found[0].total
    assert found[2].source.actions == "deterministic"
    rows = found.rows()
    assert len(rows) == 16
    assert rows[0].keys() >= {"policy", "max_steps", "red_agent", "mean", "se", "low", "high", "episodes"}
    assert all(isinstance(value, int | float | str) for row in rows for value in row.values())
    assert [(row["max_steps"], row["red_agent"]) for row in rows[:4]] == [
        (5, "B_lineAgent"),
        (5, "RedMeanderAgent"),
        (7, "B_lineAgent"),
        (7, "RedMeanderAgent"),
    ]
    done = [one for one in told if one.what == "policy"]
    assert [one.evaluation for one in done] == list(found)
    assert [(one.done, one.total) for one in done] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert sum(one.what == "cell" for one in told) == 16
    alone = cageflow.evaluate("sleep", **QUICK)
    assert len(alone) == 1 and alone.to_json() == found[0].to_json()
    assert len(found.to_json()["policies"]) == 4


def test_loaded_policy_plays_the_game_that_it_was_loaded_for(tmp_path: Path) -> None:
    plant = cageflow.load_network("plant")
    path = policy_file(tmp_path / "policy.safetensors", network=plant)
    loaded = cageflow.load_policy(path, network="plant", rules="challenge")
    told: list[cageflow.Progress] = []
    with pytest.raises(
        cageflow.UserError, match="plays with network 'Plant.* and sleep with network 'CAGE Challenge 2"
    ):
        cageflow.evaluate([loaded, "sleep"], alike=True, progress=told.append, **QUICK)
    assert cageflow.evaluate(cageflow.load_policy("sleep", rules="challenge"), **QUICK)[0].settings.game.rules == (
        "challenge"
    )


def test_table_is_the_ranking_in_three_forms() -> None:
    found = cageflow.evaluate(["random", "sleep"], **QUICK)
    first, *_ = found.ranking()
    assert first.rank == 1 and first.evaluation.total.mean == max(one.total.mean for one in found)
    assert "behind the first" in found.table()
    assert found.table("markdown").startswith("|  | policy | total |")
    assert found.table("csv").startswith("rank,policy,total")
    with pytest.raises(cageflow.UserError, match="form is 'html'; possible are text, markdown, csv"):
        found.table("html")


def test_what_cannot_be_one_table_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    network = cageflow.load_network("cage2", "cage4")
    timed = policy_file(tmp_path / "timed.safetensors", network=network)
    told: list[cageflow.Progress] = []
    with pytest.raises(cageflow.UserError, match="sleep plays with durations file and .* with durations cage4"):
        cageflow.evaluate(["sleep", timed], alike=True, progress=told.append, **QUICK)
    assert told == []
    found = cageflow.evaluate(["sleep", timed], durations="cage4", alike=True, **QUICK)
    assert len(found.ranking()) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"policies": []}, "there is nobody to evaluate"),
        ({"policies": "nobody"}, "is no policy"),
        ({"policies": "sleep", "simulator": "best"}, "simulator is 'best'; possible are compiled and cyborg"),
        ({"policies": "sleep", "both": True}, "name its folder by --cyborg-path"),
        ({"policies": "sleep", "red_agent": "blue"}, "'blue' is no red agent"),
        ({"policies": "sleep", "max_steps": 0}, "max_steps is 0"),
        ({"policies": "sleep", "compliance_definition": "best"}, "compliance_definition is 'best'"),
        ({"policies": "sleep", "save_team": "team.json"}, "--save-team needs a team"),
    ],
)
def test_nonsense_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(cageflow.UserError, match=words):
        cageflow.evaluate(**arguments)  # type: ignore[arg-type]
