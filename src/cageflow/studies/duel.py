"""A duel: defenders and attackers that grow in turns, each side trained against the other's mixture (double oracle).

Of what each side has so far the best mixture is worked out; each side is then trained against the other's, and what it
has learned joins what it has. How much the two gain by it says how far the mixtures can be exploited: it falls towards
0 where nothing is left to be learned.

A run is a folder: `duel.json` (what was asked for), `blue.safetensors` (the defender that it begins with, where it is a
policy), in `rounds` a run of `cageflow train` for each side and round, `played.json` with the means so far, and at the
end the table as `table.md` and `table.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.own_game import own_game
from cageflow.agents.sources import AgentSource, PolicySource, SourceOptions, find_agent
from cageflow.envs.options import GAME_FIELDS
from cageflow.errors import UserError
from cageflow.evaluation.statistics import Estimate
from cageflow.files import read_whole, write_whole
from cageflow.listed import quoted
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import BEFORE, check_named, make_config_of
from cageflow.studies.duel_table import DuelTable, Round
from cageflow.studies.equilibrium import Equilibrium, solve
from cageflow.studies.exploit import BLUE, blue_mean, mean_against, scripts_on
from cageflow.studies.exploit import TRAINING as RED_TRAINING
from cageflow.studies.played import PLAYED, Played
from cageflow.studies.study import Kind, Say, Study, check_judging
from cageflow.studies.training import Training
from cageflow.studies.trainings import check_workers, train_all

SETTINGS = "duel.json"
KIND = Kind(SETTINGS, "duel", "a duel")
ROUNDS, EPISODES = 4, 500
BLUE_TRAINING: dict[str, Any] = {"preset": "champion", "total_episodes": 100_000, "num_threads": 1}
"""What the training of a defender is, where nothing else is asked for."""
STEP_S = {"blue": 13e-6, "red": 40e-6, "play": 10e-6}
"""Rough seconds of one core for a step of a training of each side, and of one that is only played, by a champion."""
NO_MATCH = ("SleepAgent",)
"""Scripts that no defender has to answer."""


@dataclass(frozen=True, kw_only=True)
class DuelSettings:
    """What is trained and played.

    Attributes:
        policy: the defender that it begins with, as the user names it.
        blue: of each training of blue, its seed and its opponents aside.
        red: of each training of red, likewise.
        rounds: trainings of each side.
        seed: decides all chance.
        evaluation_episodes: of each defender against each attacker.
    """

    policy: str
    blue: TrainConfig
    red: TrainConfig
    rounds: int = ROUNDS
    seed: int = 1
    evaluation_episodes: int = EPISODES

    def __post_init__(self) -> None:
        check_judging((self.seed,), self.evaluation_episodes)
        if not 1 <= self.rounds <= 100:
            raise UserError(f"rounds is {self.rounds}; expected a whole number from 1 to 100")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {
            "policy": self.policy,
            "blue": self.blue.to_json(),
            "red": self.red.to_json(),
            "rounds": self.rounds,
            "seed": self.seed,
            "evaluation_episodes": self.evaluation_episodes,
        }


def make_settings(
    policy: str,
    game: Mapping[str, Any],
    blue: Mapping[str, Any],
    red: Mapping[str, Any],
    others: Mapping[str, Any],
) -> DuelSettings:
    """The settings of a run.

    Args:
        policy: the defender that it begins with, as the user names it.
        game: settings of `GameOptions` that a user names, of both sides; None means not given, here and below.
        blue: other settings of `TrainConfig`, of blue's trainings.
        red: of red's.
        others: other fields of `DuelSettings`.

    Raises:
        UserError: one cannot be used.
    """
    asked = {name: value for name, value in game.items() if value is not None}
    source = find_agent(policy, SourceOptions(scenario=asked.get("scenario")))
    played = own_game(source, **asked).to_json()
    both = {name: played[name] for name in GAME_FIELDS if name != "red_agent"}
    configs: dict[str, TrainConfig] = {
        side: make_config_of(TrainConfig, {**usual, **both, **_given(given)})
        for side, usual, given in (("blue", BLUE_TRAINING, blue), ("red", {**RED_TRAINING, "blue_agent": policy}, red))
    }
    return DuelSettings(policy=policy, blue=configs["blue"], red=configs["red"], **_given(others))


def duel(settings: DuelSettings, run_dir: Path | None, num_workers: int, say: Say) -> DuelTable:
    """Carry a duel through in a new folder, `num_workers` trainings at once; raises as `KIND.new`."""
    check_workers(num_workers)
    game = settings.blue.game()
    source = _source(settings.policy, settings)
    source.load(game.blue_setting)  # so that what is wrong with it is said before anything is written
    say(plan(settings, num_workers))
    with KIND.new(run_dir, "duel", "duel", settings.to_json(), game, say) as study:
        if isinstance(source, PolicySource):
            write_whole(study.run_dir / BLUE, read_whole(source.path))
        return _carry_through(settings, study, num_workers)


def go_on(run_dir: Path, num_workers: int, say: Say) -> DuelTable:
    """Go on with what was stopped, as if it never had been; raises as `KIND.read` and `KIND.resumed`."""
    settings = KIND.read(run_dir, _settings_of)
    check_workers(num_workers)
    with KIND.resumed(run_dir, "duel", say) as study:
        return _carry_through(settings, study, num_workers)


def plan(settings: DuelSettings, num_workers: int) -> str:
    """What will be done, and roughly how long that takes."""
    blue, red, rounds = settings.blue.total_episodes, settings.red.total_episodes, settings.rounds
    scripts = len(scripts_on(settings.blue.game())) - len(NO_MATCH)
    games = (rounds + 1) * (scripts + rounds) * settings.evaluation_episodes
    both = [blue * STEP_S["blue"], red * STEP_S["red"]]
    trained_s = rounds * (max(both) if num_workers > 1 else sum(both))
    minutes = (trained_s + games * STEP_S["play"]) * settings.blue.max_steps / 60.0
    takes = "less than a minute" if minutes < 1 else f"some {minutes:.0f} minutes"
    return (
        f"beginning with {settings.policy}, each of {rounds} round{'s' * (rounds > 1)} trains blue for {blue:,} "
        f"episodes and red for {red:,}; that takes {takes}"
    )


def _name(training: Training) -> str:
    number, _, side = training.path.name.partition("-")
    return f"{side} of round {number}"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _settings_of(content: dict[str, Any], path: Path) -> DuelSettings:
    """Refuses a file that says whose code runs."""
    configs = {}
    for side in ("blue", "red"):
        if not isinstance(content[side], dict):
            raise TypeError(f"{side} is no object")
        check_named(content[side], {}, path)
        configs[side] = make_config_of(TrainConfig, {**BEFORE, **content[side]})
    return DuelSettings(**{**content, **configs})


def _source(policy: str, settings: DuelSettings) -> AgentSource:
    deterministic = settings.red.blue_actions == "deterministic"
    return find_agent(policy, SourceOptions(deterministic=deterministic, scenario=settings.blue.scenario))


class _Table:
    """Who there is on each side, and what each defender comes to against each attacker.

    Args:
        settings: of the run.
        study: its folder.
        policy: the defender that it begins with.
    """

    def __init__(self, settings: DuelSettings, study: Study, policy: str) -> None:
        self._settings, self._study = settings, study
        self._game = settings.blue.game()
        self._played = Played(study.run_dir / PLAYED)
        scripts = [name for name in scripts_on(self._game) if name not in NO_MATCH]
        self.blues: dict[str, str] = {"the first": policy}
        self.reds: dict[str, str | Training] = {name: name for name in scripts}

    def payoffs(self) -> npt.NDArray[np.float64]:
        """(N, M) blue's mean return, of each defender against each attacker; those that are missing are played."""
        means = np.empty((len(self.blues), len(self.reds)))
        for i, (blue, policy) in enumerate(self.blues.items()):
            for j, (red, agent) in enumerate(self.reds.items()):
                name = f"{blue} | {red}"
                if name not in self._played.means:
                    self._study.check()
                    self._study.say(f"playing blue ({blue}) against red ({red})")
                    self._played.keep(name, self._mean(policy, agent))
                means[i, j] = self._played.means[name].mean
        return means

    def _mean(self, policy: str, agent: str | Training) -> Estimate:
        """A defender's mean return against a script, or against a red agent that a training has made."""
        source, episodes = _source(policy, self._settings), self._settings.evaluation_episodes
        if isinstance(agent, Training):
            return mean_against(agent, source, episodes)
        return blue_mean(source, self._game, agent, episodes, self._settings.seed)


def _carry_through(settings: DuelSettings, study: Study, num_workers: int) -> DuelTable:
    kept = study.run_dir.absolute() / BLUE
    policy = str(kept) if kept.exists() else settings.policy
    blue, red = (one.model_copy(update={"scenario": study.network}) for one in (settings.blue, settings.red))
    settings = replace(settings, blue=blue, red=red)
    table, rounds = _Table(settings, study, policy), []
    payoffs = table.payoffs()
    for number in range(1, settings.rounds + 1):
        before = solve(payoffs)
        trainings = _trainings(settings, study, table, before, number)
        missing = [training for training in trainings.values() if not training.is_finished]
        train_all(study, missing, num_workers, _name)
        table.blues[f"round {number}"] = str(trainings["blue"].carry_through())
        table.reds[f"learned {number}"] = trainings["red"]
        payoffs = table.payoffs()
        rounds.append(_round(number, before, payoffs))
        study.say(f"round {number}: {rounds[-1].words()}")
    found = DuelTable(
        run_dir=study.run_dir,
        policy=settings.policy,
        rules=settings.blue.rules,
        network=settings.blue.game().unchecked_network.identity.to_json(),
        rounds=tuple(rounds),
        blues=tuple(table.blues),
        reds=tuple(table.reds),
        payoffs=payoffs,
        last=solve(payoffs),
        files={name: _shown(path, study.run_dir) for name, path in table.blues.items()},
    )
    study.write_table(found.to_json(), md=found.markdown())
    return found


def _round(number: int, before: Equilibrium, payoffs: npt.NDArray[np.float64]) -> Round:
    """What a round has shown of the mixtures that it began with: what each side gains on them by what it learned."""
    against_red = float(before.rows @ payoffs[:-1, -1])
    against_blue = float(payoffs[-1, :-1] @ before.columns)
    return Round(number, before, red_gain=before.value - against_red, blue_gain=against_blue - before.value)


def _trainings(
    settings: DuelSettings, study: Study, table: _Table, mixtures: Equilibrium, number: int
) -> dict[str, Training]:
    """Those of a round: each side against the other's mixture, blue from where it was a round before."""
    folder = study.run_dir.absolute() / "rounds"
    seed = settings.seed + number
    of_blue: dict[str, Any] = {"red_mixture": _mixture(table.reds, mixtures.columns), "seed": seed}
    if number > 1:
        of_blue["start_from"] = str(folder / f"{number - 1}-blue")
    of_red = {"blue_agent": _mixture(table.blues, mixtures.rows), "seed": seed}
    return {
        side: Training(
            make_config_of(TrainConfig, {**getattr(settings, side).to_json(), **own}), folder / f"{number}-{side}"
        )
        for side, own in (("blue", of_blue), ("red", of_red))
    }


def _mixture(names: Mapping[str, str | Training], shares: Sequence[float] | npt.NDArray[np.float64]) -> str:
    """Agents by weight, as a setting names them."""
    played = [str(one.carry_through()) if isinstance(one, Training) else one for one in names.values()]
    weights = [(text, share) for text, share in zip(played, shares, strict=True) if share > 0.0]
    if len(weights) == 1:
        return f"{quoted(weights[0][0])}=1"
    return ",".join(f"{quoted(text)}={share:.4f}" for text, share in weights)


def _shown(path: str, folder: Path) -> str:
    """The file of a defender as seen from the run's folder; a name as it is."""
    absolute = folder.absolute()
    return str(Path(path).relative_to(absolute)) if Path(path).is_relative_to(absolute) else path
