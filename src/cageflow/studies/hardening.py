"""Hardening defenders: red agents learn against them in turns, and they learn on against all of those and the scripts.

In each round a red agent is trained against what the defender has come to, and the defender goes on against a mixture
of what it was first trained against and of every red agent so far; whoever costs it more is met more often. At the end
it learns on against all of them with small steps. Each training is a run of `cageflow train` in a folder beside the
first, so what was stopped goes on.

Where it is asked for, a defender has units wired in before its first round that close futile Restores
(`cageflow.learn.restore_gates`), and learns on with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.envs.options import GAME_FIELDS
from cageflow.files import write_whole
from cageflow.learn.restore_gates import restore_gates as gates_of
from cageflow.learn.wiring import wire, wired_sizes
from cageflow.listed import quoted
from cageflow.runs.layout import STATE, checkpoint_file
from cageflow.scenario.red_agents import ATTACKER_NAMES, MIXED
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.exploit import mean_against
from cageflow.studies.played import PLAYED, Played
from cageflow.studies.starts import SMALL_STEPS, Started
from cageflow.studies.study import Study
from cageflow.studies.training import Training, whole_budget
from cageflow.studies.trainings import train_all
from cageflow.training.state_file import dump_state, learner_in, load_learner

LEARNED_SHARE = 0.45
"""Of the episodes, that are played against red agents that learned."""
EPISODES = 150
"""That say what a red agent costs."""
RED_PART, ROUND_PART, LAST_PART = 16, 8, 2
"""Parts of the first training's episodes: red's in a round, the defender's, and those with small steps at the end."""
GATED_RULES = "v2.1"
"""Under which a desktop is lost again in the steps after its Restore; under `challenge` its hole is closed for good."""
ON_THE_WAY = {"learning_rate": 3e-3, "final_learning_rate": 1e-3, "ent_coef": 6e-3, "final_ent_coef": 3e-3}


class Line:
    """A defender and the red agents that have learned against it.

    Args:
        started: its first training, which is finished when the others begin.

    Attributes:
        blues, reds: the trainings of both sides so far, in turn.
    """

    def __init__(self, started: Started) -> None:
        self.blues, self.reds = [started.training], list[Training]()
        self._starts = started.starts
        self._wired: Path | None = None

    @property
    def first(self) -> Training:
        """The training that it began with."""
        return self.blues[0]

    @property
    def last(self) -> Training:
        """The training that the defender comes from."""
        return self.blues[-1]

    @property
    def episodes(self) -> int:
        """That the defender has learned from in all."""
        return sum(training.updates[-1].episodes for training in (*self._starts[:1], *self.blues))

    @property
    def seconds(self) -> float:
        """Spent in the trainings of both sides, those of beginnings that did not go on too."""
        return sum(training.seconds for training in (*self._starts, *self.blues, *self.reds))

    def close_restores(self) -> None:
        """Have the rounds begin with what it has come to and units that close futile Restores, kept beside it."""
        self._wired = self.first.path.with_name(f"{self.first.path.name}-wired.state")
        if not self._wired.exists():
            learner = learner_in(load_learner(checkpoint_file(self.first.path, STATE)))
            assert learner is not None, "a run of train leaves one"
            wired = wire(learner, gates_of(self.first.config.game().network))
            write_whole(self._wired, dump_state({"ppo": wired}))

    def add_red(self, number: int) -> Training:
        """The training of the red agent of a round."""
        game = self.first.config.game().to_json()
        settings = {
            **{name: game[name] for name in GAME_FIELDS if name != "red_agent"},
            "side": "red",
            "blue_agent": str(self.last.carry_through()),
            "blue_actions": "deterministic",
            "total_episodes": self._episodes(RED_PART),
            "num_threads": self.first.config.num_threads,
        }
        self.reds.append(self._training(settings, f"red{number}", number))
        return self.reds[-1]

    def add_blue(self, number: int, played: Played) -> Training:
        """The training with which the defender answers the red agents of all rounds so far."""
        self.blues.append(self._going_on(ON_THE_WAY, ROUND_PART, f"blue{number}", number, played))
        return self.last

    def add_last(self, number: int, played: Played) -> Training:
        """The training with small steps, after so many rounds."""
        self.blues.append(self._going_on(SMALL_STEPS, LAST_PART, "last", number + 1, played))
        return self.last

    def _going_on(self, steps: dict[str, float], part: int, name: str, number: int, played: Played) -> Training:
        config, start, sizes = self.first.config, self.last.path, {}
        if self._wired is not None:
            start = self._wired if self.last is self.first else start
            sizes = {"hidden_sizes": wired_sizes(config.learner().hidden_sizes, config.game().network)}
        settings = {
            **config.to_json(),
            **whole_budget(self._episodes(part)),
            "ppo": {**config.ppo, **steps, **sizes},
            "start_from": str(start.absolute()),
            "red_mixture": self._mixture(played),
        }
        return self._training(settings, name, number)

    def _training(self, settings: dict[str, Any], name: str, number: int) -> Training:
        seed = (self.first.config.seed + 1000 * number) % 2**32
        folder = self.first.path.with_name(f"{self.first.path.name}-{name}")
        return Training(make_config_of(TrainConfig, {**settings, "seed": seed}), folder)

    def _episodes(self, part: int) -> int:
        whole = sum(training.config.total_episodes for training in (*self._starts[:1], self.first))
        return max(whole // part, 1)

    def _mixture(self, played: Played) -> str:
        """Whom the defender meets: as first, and the red agents that learned by the square of what they cost."""
        config = self.first.config
        alone = ATTACKER_NAMES if config.red_agent == MIXED else (config.red_agent,)
        first = config.variation().red_mixture or tuple((red, 1.0 / len(alone)) for red in alone)
        costs = np.array([self._cost(red, played) for red in self.reds]) ** 2
        weights = LEARNED_SHARE * (costs + 1e-9) / (costs + 1e-9).sum()
        shares = [(red, (1.0 - LEARNED_SHARE) * share) for red, share in first]
        shares += [(str(red.carry_through()), float(weight)) for red, weight in zip(self.reds, weights, strict=True)]
        return ",".join(f"{quoted(red)}={share:.6f}" for red, share in shares)

    def _cost(self, red: Training, played: Played) -> float:
        """What the defender loses to a red agent in an episode, at least 0."""
        name = f"{self.last.path.name} | {red.path.name}"
        if name not in played.means:
            source = find_agent(str(self.last.carry_through()), SourceOptions(deterministic=True))
            played.keep(name, mean_against(red, source, EPISODES))
        return max(-played.means[name].mean, 0.0)


def harden(
    study: Study, firsts: Sequence[Started], rounds: int, num_workers: int, *, restore_gates: bool = False
) -> list[Line]:
    """Harden the defenders of finished trainings, or go on with it.

    Args:
        study: whose they are.
        firsts: the trainings, each in a folder of the study's.
        rounds: in each of which a red agent is trained; 0 leaves the defenders as they are.
        restore_gates: close futile Restores to those under `GATED_RULES`.
        num_workers: trainings at once.

    Raises:
        RunStoppedError: a signal asked for the end.
        RunFailedError: a training failed.
    """
    lines = [Line(first) for first in firsts]
    if rounds == 0:
        return lines
    played = Played(study.run_dir / PLAYED)
    for line in lines:
        if restore_gates and line.first.config.rules == GATED_RULES:
            line.close_restores()

    def carry_through(trainings: list[Training]) -> None:
        study.check()
        train_all(study, [training for training in trainings if not training.is_finished], num_workers, _name)

    for number in range(1, rounds + 1):
        carry_through([line.add_red(number) for line in lines])
        carry_through([line.add_blue(number, played) for line in lines])
    carry_through([line.add_last(rounds, played) for line in lines])
    return lines


def _name(training: Training) -> str:
    return training.path.name
