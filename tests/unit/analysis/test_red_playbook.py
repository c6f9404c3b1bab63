"""What a red agent does, counted and in words."""

from dataclasses import replace

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.analysis.red_playbook import RedPlaybook, _next, red_playbook
from cageflow.analysis.red_words import red_sentences
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream

SEEDS = EpisodeStream(1, "test").seeds(0, 60)


def book(red: str = "bline", blue: str = "sleep", steps: int = 40) -> RedPlaybook:
    options = GameOptions(red, max_steps=steps)
    return red_playbook(BASELINES[blue](options.blue_setting), options, SEEDS)


def words(made: RedPlaybook) -> dict[str, str]:
    return dict(red_sentences(made))


def test_b_line__goes_straight_to_the_server_and_stops_its_service() -> None:
    made = book()
    assert made.reached["Op_Server0"] == made.impacted == 1.0
    assert made.first_held["Enterprise2"] < made.first_held["Op_Server0"] < (made.first_impact or 0.0)
    assert all(route[-1] == "Op_Server0" for route, _ in made.routes)
    assert made.evictions == 0.0 and made.choices["rest"] == 0.0
    assert max(made.lost, key=lambda host: made.lost[host]) == "Op_Server0"
    assert sum(made.loss_by_phase) == pytest.approx(-made.mean)
    assert sum(made.lost.values()) == pytest.approx(-made.mean)  # blue does nothing that costs
    said = words(made)
    assert said["What it waits for"] == "For nothing: it hardly ever rests."
    assert "stops a service in 100% of the episodes" in said["What it is after"]
    assert "Restores" not in said["What it is after"]
    assert (
        "10.0 more are what blue's own Restores cost" in words(replace(made, mean=made.mean - 10.0))["What it is after"]
    )
    assert said["When it is thrown out"] == "Blue hardly ever takes a host back."


def test_defender__throws_red_out_and_red_comes_back() -> None:
    made = book("meander", "react", 60)
    assert made.evictions > 1.0 and 0.0 <= made.back_at_once <= 1.0 and made.wait_after_eviction >= 1.0
    assert "takes a host back" in words(made)["When it is thrown out"]


def test_sleeper__does_nothing_and_gets_nowhere() -> None:
    made = book("sleep")
    assert made.choices["rest"] == 1.0 and made.reached == {} and made.first_impact is None
    said = words(made)
    assert said["Where it goes"] == "It gets no session beyond its first host."
    assert said["What it waits for"].startswith("It rests in 0% of its choices while it holds")


def test_rest__is_told_by_where_and_when() -> None:
    made = replace(book(), choices={"rest": 0.4, "exploit": 0.6}, sleep_inside=(0.1, 0.6))
    assert "it waits outside, and is quick once it is in" in words(made)["What it waits for"]
    late = replace(made, sleep_inside=(0.6, 0.1), sleep_by_phase=(0.1, 0.2, 0.8))
    assert "it sits on what it has. It rests late: 80%" in words(late)["What it waits for"]


def test_next__is_the_first_step_from_each_on_in_which_it_happens() -> None:
    happens = np.array([[False], [True], [False], [True], [False]])
    assert _next(happens).ravel().tolist() == [1, 1, 3, 3, 5]
