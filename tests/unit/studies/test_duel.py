"""Defenders and attackers that grow in turns: what each round trains, the table, the page, going on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.listed import split_weighted
from cageflow.report.duel_page import write_duel_page
from cageflow.runs.interrupt import RunStoppedError
from cageflow.settings.reading import read_config
from cageflow.studies import duel
from cageflow.studies.duel_table import DuelTable, Round
from cageflow.studies.equilibrium import Equilibrium, solve
from cageflow.studies.study import Study
from cageflow.studies.training import Training

SMALL = {"total_episodes": 16, "episodes_per_update": 8}


def test_round__says_that_who_gained_nothing_counts_as_nothing() -> None:
    before = solve(np.array([[-30.0, -40.0]]))
    lost = Round(number=1, before=before, red_gain=14.0, blue_gain=-200.0)
    assert lost.words().endswith("their exploitability is 14.00 (who gained nothing counts 0)")
    assert Round(number=1, before=before, red_gain=1.0, blue_gain=2.0).words().endswith("exploitability is 3.00")


def settings(**others: Any) -> duel.DuelSettings:
    blue = {**SMALL, "preset": "default"}
    return duel.make_settings("react", {"max_steps": 8}, blue, SMALL, {"rounds": 2, "evaluation_episodes": 4, **others})


def silent(words: str) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the trainings in this process, and two scripts."""

    def train_here(study: Study, trainings: Sequence[Training], *others: object) -> None:
        for training in trainings:
            training.carry_through()

    monkeypatch.setattr(duel, "train_all", train_here)
    monkeypatch.setattr(duel, "scripts_on", lambda game: ("B_lineAgent", "SleepAgent"))


def test_duel__grows_both_sides_and_goes_on_as_if_it_never_had_been_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = duel.duel(settings(), tmp_path / "whole, seed=1", 2, silent)
    assert found.blues == ("the first", "round 1", "round 2")
    assert found.reds[-2:] == ("learned 1", "learned 2") and "SleepAgent" not in found.reds
    assert found.payoffs.shape == (3, len(found.reds)) and np.isfinite(found.payoffs).all()
    for number in (1, 2):
        config = read_config(found.run_dir / "rounds" / f"{number}-red" / "config.json")
        assert config.plays_red and "react" in config.opponent
    page = write_duel_page(found).read_text()
    assert "Exploitability by round" in page and (found.run_dir / "report" / "duel.svg").is_file()
    calls = 0

    def stop_later(study: Study) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # in the midst of the second table
            raise RunStoppedError(2, "stopped")

    with monkeypatch.context() as patched:
        patched.setattr(Study, "check", stop_later)
        with pytest.raises(RunStoppedError):
            duel.duel(settings(), tmp_path / "stopped", 2, silent)
    parts = duel.go_on(tmp_path / "stopped", 2, silent)
    assert parts.to_json() | {"run_dir": ""} == found.to_json() | {"run_dir": ""}


def test_mixture__names_files_in_folders_of_any_name(tmp_path: Path) -> None:
    policy = tmp_path / "duel, seed=1" / "blue.safetensors"
    names, shares = {"a": str(policy), "b": "react"}, [0.25, 0.75]
    assert split_weighted(duel._mixture(names, shares)) == [(str(policy), "0.2500"), ("react", "0.7500")]
    assert split_weighted(duel._mixture(names, [1.0, 0.0])) == [(str(policy), "1")]


def test_plan__says_what_will_be_done_and_how_long_it_takes(tmp_path: Path) -> None:
    said: list[str] = []
    duel.duel(settings(rounds=1), tmp_path / "run", 2, said.append)
    assert said[0].endswith("1 round trains blue for 16 episodes and red for 16; that takes less than a minute")
    whole = duel.make_settings("react", {}, {}, {}, {})
    assert duel.plan(whole, 2) == (
        "beginning with react, each of 4 rounds trains blue for 100,000 episodes and red for 20,000; "
        "that takes some 9 minutes"
    )
    assert duel.plan(whole, 1).endswith("some 14 minutes")


def test_round__says_what_each_side_gains_on_the_mixture_of_the_other() -> None:
    before = solve(np.array([[-20.0]]))
    made = duel._round(1, before, np.array([[-20.0, -50.0], [-15.0, -60.0]]))
    assert (made.red_gain, made.blue_gain, made.exploitability) == (30.0, 5.0, 35.0)
    nothing = Round(2, before, red_gain=-3.0, blue_gain=2.0)
    assert nothing.exploitability == 2.0


def test_safest_defender__is_best_against_the_attacker_that_is_worst_for_it() -> None:
    payoffs = np.array([[-10.0, -90.0], [-30.0, -35.0]])
    table = DuelTable(
        run_dir=Path("runs/x"),
        policy="champion",
        rules="v2.1",
        network={"name": "CAGE-2"},
        rounds=(Round(1, Equilibrium(np.ones(1), np.ones(1), -10.0), 80.0, 1.0),),
        blues=("the first", "round 1"),
        reds=("B_lineAgent", "learned 1"),
        payoffs=payoffs,
        last=solve(payoffs),
        files={"the first": "champion", "round 1": "rounds/1-blue"},
    )
    assert (table.safest, table.worst_of("round 1")) == ("round 1", -35.0)
    assert table.to_json()["payoffs"]["round 1"] == {"B_lineAgent": -30.0, "learned 1": -35.0}
    assert table.markdown().splitlines()[2] == "| 1 | -10.00 | 80.00 | 1.00 | 81.00 |"
    assert table.shares("blue") == {"round 1": 1.0}
