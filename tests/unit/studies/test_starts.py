"""Beginnings of a training: what they are, which goes on, and that nothing is done twice."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cageflow.evaluation.statistics import Estimate
from cageflow.scenario import default_network
from cageflow.settings.reading import make_config
from cageflow.sim.recall import num_inputs
from cageflow.studies import starts
from cageflow.studies.hardening import Line
from cageflow.studies.starts import HELD_OUT, SEED_STEP, SMALL_STEPS, Started, start_all
from cageflow.studies.training import Training
from cageflow.studies.trainings import name_by_seed
from cageflow.training.state_file import load_learner
from tests.helpers.trainings import leave_empty_policies

NUM_BITS = num_inputs(default_network(), memory=True)
TOTALS = {"seed7-start1": (-50.0, -55.0), "seed7-start2": (-46.0, -70.0), "seed7-start3": (-48.0, -54.0)}
"""Of each beginning, with green asleep and awake."""


@dataclass
class Told:
    """A study that nothing stops."""

    run_dir: Path
    said: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Go on."""

    def say(self, words: str) -> None:
        self.said.append(words)


@pytest.fixture
def study(tmp_path: Path) -> Any:
    return Told(tmp_path)


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was trained and judged, in order: trainings leave an empty policy at once, judgings are of TOTALS."""
    done: list[str] = []

    def train_all(_: Any, trainings: list[Training], __: int, name: Any) -> None:
        for training in trainings:
            done.append(name(training))
            training.carry_through()

    def evaluate(source: str, settings: Any) -> Any:
        done.append(f"{source} {settings.seed} {settings.game.green} {settings.episodes}")
        total = Estimate(TOTALS[source][settings.game.green], 1.0, 9)
        cells = [SimpleNamespace(red_agent=red, compliance=0.5) for red in ("B_lineAgent", "SleepAgent")]
        return SimpleNamespace(total=total, cells=cells)

    leave_empty_policies(monkeypatch)
    monkeypatch.setattr(starts, "train_all", train_all)
    monkeypatch.setattr(starts, "find_agent", lambda path, _: Path(path).parent.parent.name)
    monkeypatch.setattr(starts, "evaluate", evaluate)
    return done


def training(folder: Path, **settings: Any) -> Training:
    given = {"command": "train", "preset": "champion", "red_agent": "mixed", "green_share": 0.3, **settings}
    return Training(make_config({"total_episodes": 1001, "seed": 7, **given}), folder / "seed7")


def test_one_beginning__is_the_training_itself(study: Any, begun: list[str]) -> None:
    whole = training(study.run_dir)
    assert start_all(study, [whole], 1, 20, 2, name_by_seed) == [Started(whole)]
    assert begun == ["seed 7"]


def test_best_beginning__goes_on_with_small_steps_and_the_rest_of_the_episodes(study: Any, begun: list[str]) -> None:
    whole = training(study.run_dir)
    (found,) = start_all(study, [whole], 3, 20, 2, name_by_seed)
    judged = [f"seed7-start{number} {7 + HELD_OUT} {green} 20" for number in (1, 2, 3) for green in (False, True)]
    names = [f"seed 7, beginning {number}" for number in (1, 2, 3)]
    assert begun == [*names, *judged, "seed 7"]
    # 0.7 and 0.3 of the two totals: -51.5, -53.2 and -49.8
    assert [start.path.name for start in found.starts] == ["seed7-start3", "seed7-start1", "seed7-start2"]
    assert "seed 7, beginning 2: -53.20" in study.said[1]
    assert [start.config.seed for start in found.starts] == [7 + SEED_STEP * number for number in (3, 1, 2)]
    assert {start.config.total_episodes for start in found.starts} == {500}
    last = found.training
    assert (last.path, last.config.seed, last.config.total_episodes) == (whole.path, 7, 501)
    assert last.config.start_from == str(study.run_dir / "seed7-start3")
    assert last.config.ppo == SMALL_STEPS
    begun.clear()
    assert start_all(study, [whole], 3, 20, 2, name_by_seed) == [found]
    assert begun == []


def test_beginning__is_judged_with_what_its_training_pays_for(study: Any, begun: list[str]) -> None:
    order = {"workflow": "enterprise,op_server,defender,op_host,user", "workflow_mode": "rewarded"}
    paid = training(study.run_dir, green_share=None, alignment_lambda=8.0, **order)
    start_all(study, [paid], 2, 20, 1, name_by_seed)
    assert [words.split(":")[1] for words in study.said] == [
        " -46.00 in the episodes that choose",  # and not those in which red sleeps
        " -42.00 in the episodes that choose",
    ]


def test_habit__is_what_each_beginning_starts_from_where_it_pays(study: Any) -> None:
    names, wide = ("seed7-start1", "seed7-start2"), [77, 77]
    paid, other = training(study.run_dir / "c", rules="challenge"), training(study.run_dir / "v", rules="v2.1")
    for whole in (paid, other):
        study.run_dir = whole.path.parent
        whole.path.parent.mkdir()
        (found,) = start_all(study, [whole], 2, 20, 1, name_by_seed, remove_habit=True)
        began = [start.config for start in sorted(found.starts, key=lambda one: one.path)]
        if whole is paid:
            files = [whole.path.with_name(f"{name}-habit.state") for name in names]
            assert [config.start_from for config in began] == [str(file) for file in files]
            first, second = (load_learner(file)["ppo"]["networks"]["actor.0.weight"] for file in files)
            assert first.shape == (77, NUM_BITS) and (first[:64] != second[:64]).any()
            assert (first[64:] == second[64:]).all()
            assert [config.ppo for config in (*began, found.training.config)] == [
                {"hidden_sizes": wide},
                {"hidden_sizes": wide},
                {"hidden_sizes": wide, **SMALL_STEPS},
            ]
        else:
            assert [config.start_from for config in began] == [None, None]
            assert found.training.config.ppo == SMALL_STEPS
    (alone,) = start_all(study, [paid], 1, 20, 1, name_by_seed, remove_habit=True)
    assert alone.training.config.start_from == str(paid.path.with_name("seed7-habit.state"))


def test_line__counts_the_episodes_that_it_learned_from_and_the_time_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Training, "updates", property(lambda one: [SimpleNamespace(episodes=one.config.total_episodes)])
    )
    monkeypatch.setattr(Training, "seconds", property(lambda one: 3.0))
    whole = training(tmp_path)
    line = Line(Started(whole, (training(tmp_path, total_episodes=500), training(tmp_path, total_episodes=400))))
    assert (line.episodes, line.seconds) == (1501, 9.0)
