"""Hardening: who is trained against whom, in which folders, and how often each is met."""

from pathlib import Path
from typing import Any

import pytest

from cageflow.evaluation.statistics import Estimate
from cageflow.learn.config import PPOConfig
from cageflow.learn.ppo import PPO
from cageflow.runs.layout import CHECKPOINT, STATE
from cageflow.scenario import default_network
from cageflow.settings.reading import make_config
from cageflow.sim.recall import num_inputs
from cageflow.studies import hardening
from cageflow.studies.hardening import LEARNED_SHARE, ON_THE_WAY, Line, harden
from cageflow.studies.played import Played
from cageflow.studies.starts import SMALL_STEPS, Started
from cageflow.studies.training import Training
from cageflow.training.state_file import load_learner, save_state
from tests.helpers.trainings import leave_empty_policies

NUM_BITS = num_inputs(default_network(), memory=True)
MIXTURE = "bline=2,meander=1,switch=1"


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trainings that leave an empty policy at once; the names of those that were begun."""
    begun: list[str] = []

    def train_all(_: Any, trainings: list[Training], *__: Any) -> None:
        for training in trainings:
            begun.append(training.path.name)
            training.carry_through()

    leave_empty_policies(monkeypatch)
    monkeypatch.setattr(hardening, "train_all", train_all)
    return begun


def first(folder: Path, **settings: Any) -> Started:
    given = {"command": "train", "preset": "champion", "red_agent": "mixed", "red_mixture": MIXTURE, **settings}
    training = Training(make_config({"total_episodes": 1600, "seed": 7, **given}), folder / "seed7-challenge")
    training.carry_through()
    return Started(training)


class Told:
    """A study that nothing stops."""

    def __init__(self, folder: Path) -> None:
        self.run_dir = folder

    def check(self) -> None:
        """Go on."""


def test_round__trains_red_against_the_defender_and_the_defender_from_there(tmp_path: Path) -> None:
    line = Line(first(tmp_path, rules="challenge", green_share=0.3))
    red = line.add_red(1)
    assert red.path == tmp_path / "seed7-challenge-red1"
    config = red.config
    assert (config.side, config.rules, config.blue_actions) == ("red", "challenge", "deterministic")
    assert config.blue_agent == str(tmp_path / "seed7-challenge" / "policies" / "policy.safetensors")
    assert (config.total_episodes, config.seed) == (100, 1007)
    played = Played(tmp_path / "played.json")
    played.keep("seed7-challenge | seed7-challenge-red1", Estimate(-40.0, 1.0, 9))
    blue = line.add_blue(1, played)
    assert blue.config.start_from == str(tmp_path / "seed7-challenge")
    assert (blue.config.total_episodes, blue.config.green_share) == (200, 0.3)
    assert blue.config.ppo == ON_THE_WAY
    found = [share for _, share in blue.config.variation().red_mixture]
    rest = 1.0 - LEARNED_SHARE
    assert found == pytest.approx([rest / 2, rest / 4, rest / 4, LEARNED_SHARE])
    assert line.add_red(2).config.blue_agent == str(blue.path / "policies" / "policy.safetensors")


def test_mixture__is_of_whoever_costs_more_by_the_square(tmp_path: Path) -> None:
    line = Line(first(tmp_path, red_mixture=None))
    played = Played(tmp_path / "played.json")
    for number, cost in ((1, 20.0), (2, 60.0), (3, -1.0)):
        red = line.add_red(number)
        played.keep(f"seed7-challenge | {red.path.name}", Estimate(-cost, 1.0, 9))
    mixture = [share for _, share in line.add_last(3, played).config.variation().red_mixture]
    rest = (1.0 - LEARNED_SHARE) / 2  # of either attacker, where one red agent stands for both
    assert mixture == pytest.approx([rest, rest, LEARNED_SHARE / 10, 9 * LEARNED_SHARE / 10], abs=1e-5)
    assert line.last.config.ppo == SMALL_STEPS
    assert line.last.config.total_episodes == 800


def test_harden__takes_rounds_in_turn_and_trains_nothing_twice(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardening, "mean_against", lambda *_: Estimate(-30.0, 1.0, 150))
    monkeypatch.setattr(hardening, "find_agent", lambda *_: None)
    study: Any = Told(tmp_path)
    (line,) = harden(study, [first(tmp_path)], 2, 1)
    names = ["seed7-challenge-" + name for name in ("red1", "blue1", "red2", "blue2", "last")]
    assert trained == names
    assert line.last.path.name == names[-1]
    trained.clear()
    harden(study, [first(tmp_path)], 2, 1)
    assert trained == []


def test_harden__in_no_rounds_leaves_the_defender_as_it_is(tmp_path: Path, trained: list[str]) -> None:
    study: Any = Told(tmp_path)
    (line,) = harden(study, [first(tmp_path)], 0, 1)
    assert (line.last, trained) == (line.first, [])


def test_harden__begins_rounds_with_closed_restores_where_a_restored_desktop_is_lost_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardening, "mean_against", lambda *_: Estimate(-30.0, 1.0, 150))
    monkeypatch.setattr(hardening, "find_agent", lambda *_: None)
    learner = PPO(PPOConfig(hidden_sizes=(64, 64)), num_observations=NUM_BITS, total_updates=1).state_dict()
    study: Any = Told(tmp_path)
    for rules in ("v2.1", "challenge"):
        begun = first(tmp_path / rules, rules=rules)
        (begun.training.path / CHECKPOINT).mkdir()
        save_state(begun.training.path / CHECKPOINT / STATE, {"ppo": learner})
        (line,) = harden(study, [begun], 1, 1, restore_gates=True)
        starts = [Path(str(blue.config.start_from)).name for blue in line.blues[1:]]
        sizes = [blue.config.learner().hidden_sizes for blue in line.blues[1:]]
        if rules == "v2.1":
            wired = begun.training.path.with_name("seed7-challenge-wired.state")
            assert starts == [wired.name, "seed7-challenge-blue1"] and sizes == [(77, 77)] * 2
            assert load_learner(wired)["ppo"]["networks"]["actor.0.weight"].shape == (77, NUM_BITS)
        else:
            assert starts == ["seed7-challenge", "seed7-challenge-blue1"] and sizes == [(64, 64)] * 2
