"""Several beginnings of a defender, of which the one that plays best goes on.

A training can miss what others find, such as a Restore that pays only by what follows it. So a defender may begin
several times, each time with half of the episodes and with chance of its own; all are judged on the same episodes, by
which nothing else is judged, and the best learns on with small steps through the other half. Each beginning is a run of
`cageflow train` in a folder beside that of the training that goes on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.evaluation.protocol import EvaluationSettings, evaluate
from cageflow.evaluation.statistics import Estimate
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.habits import with_habit
from cageflow.studies.played import PLAYED, Played
from cageflow.studies.study import Study
from cageflow.studies.training import Training, whole_budget
from cageflow.studies.trainings import Name, train_all

MOST_STARTS = 100
SEED_STEP, HELD_OUT = 1_000_000, 500_000
"""From a training's seed to those of its beginnings, and to the seed of the episodes that judge them."""
SMALL_STEPS = {"learning_rate": 2e-3, "final_learning_rate": 1e-4, "ent_coef": 3e-3, "final_ent_coef": 5e-4}
"""Of who learns on where there is little left to gain."""


class Started(NamedTuple):
    """A training and what it has come from.

    Attributes:
        training: what they have come to.
        starts: the beginnings, the one that it goes on from first; none where it is its own.
    """

    training: Training
    starts: tuple[Training, ...] = ()


def start_all(
    study: Study,
    trainings: Sequence[Training],
    count: int,
    episodes: int,
    num_workers: int,
    name: Name,
    *,
    remove_habit: bool = False,
) -> list[Started]:
    """Carry trainings through, each from the best of several beginnings, or go on with it.

    Args:
        study: whose they are.
        trainings: as they are with one beginning; with several, what goes on is in their folders.
        count: of beginnings of each, from 1.
        episodes: that judge a beginning, of each cell of the protocol.
        num_workers: trainings at once.
        name: of a training without the number of its beginning, in what is said.
        remove_habit: begin with the habit where it pays, see `habits`.

    Raises:
        RunStoppedError: a signal asked for the end.
        RunFailedError: a training failed.
    """
    named = {one.path: name(one) for one in trainings}

    def carry_through(some: Sequence[Training]) -> None:
        study.check()
        train_all(study, [one for one in some if not one.is_finished], num_workers, lambda one: named[one.path])

    def prepared(training: Training) -> Training:
        return with_habit(training) if remove_habit else training

    if count == 1:
        trainings = [prepared(training) for training in trainings]
        carry_through(trainings)
        return [Started(training) for training in trainings]
    begun = {}
    for training in trainings:
        begun[training.path] = [prepared(_beginning(training, number)) for number in range(1, count + 1)]
        for number, start in enumerate(begun[training.path], start=1):
            named[start.path] = f"{name(training)}, beginning {number}"
    carry_through([start for starts in begun.values() for start in starts])
    played, found = Played(study.run_dir / PLAYED), []
    for training in trainings:
        starts, worth = begun[training.path], []
        for start in starts:
            study.check()
            worth.append(_worth(start, training, episodes, played))
            study.say(f"{named[start.path]}: {worth[-1]:.2f} in the episodes that choose")
        best = int(np.argmax(worth))
        found.append(Started(_going_on(training, starts[best]), (starts[best], *starts[:best], *starts[best + 1 :])))
    carry_through([one.training for one in found])
    return found


def _beginning(training: Training, number: int) -> Training:
    config = training.config
    own = {**whole_budget(_half(config)), "seed": (config.seed + SEED_STEP * number) % 2**32}
    folder = training.path.with_name(f"{training.path.name}-start{number}")
    return Training(make_config_of(TrainConfig, {**config.to_json(), **own}), folder)


def _going_on(training: Training, start: Training) -> Training:
    config = training.config
    own = {
        **whole_budget(config.total_episodes - _half(config)),
        "ppo": {**start.config.ppo, **SMALL_STEPS},
        "start_from": str(start.path.absolute()),
    }
    return Training(make_config_of(TrainConfig, {**config.to_json(), **own}), training.path)


def _half(config: TrainConfig) -> int:
    return max(config.total_episodes // 2, 1)


def _worth(start: Training, training: Training, episodes: int, played: Played) -> float:
    """Its total by the protocol, with green awake in the share of the episodes in which it was so in training.

    With the reward for complying, where that was in training too.
    """
    name = f"{start.path.name} | to choose"
    if name not in played.means:
        share = training.config.variation().green_share
        weights = {training.config.green: 1.0} if share is None else {False: 1.0 - share, True: share}
        parts = [(weight, *_total(start, training, episodes, green)) for green, weight in weights.items() if weight]
        mean = sum(weight * mean for weight, mean, _ in parts)
        error = math.sqrt(sum((weight * error) ** 2 for weight, _, error in parts))
        played.keep(name, Estimate(mean, error, episodes - 1))
    return played.means[name].mean


def _total(start: Training, training: Training, episodes: int, green: bool) -> tuple[float, float]:
    """The total and its standard error."""
    config = training.config
    source = find_agent(str(start.carry_through()), SourceOptions(deterministic=True))
    game = replace(config.game(), green=green)
    found = evaluate(source, EvaluationSettings(game, episodes, (config.seed + HELD_OUT) % 2**32))
    attacked = [cell for cell in found.cells if cell.red_agent != "SleepAgent"]
    paid = sum(config.alignment_lambda * (cell.compliance or 0.0) for cell in attacked)
    return found.total.mean + paid, found.total.se
