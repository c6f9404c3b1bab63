"""One defender against all red agents, trained with several seeds and judged by the challenge's protocol.

A run is a folder: `champion.json` (what was asked for), a folder `seedN` for each seed, which is a run of
`cageflow train` like any other, and at the end the table as `table.md` and `table.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.envs.options import MIXED_RULES, RULES
from cageflow.errors import UserError
from cageflow.evaluation.protocol import EPISODES, EvaluationSettings, evaluate
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import BEFORE, check_named, make_config_of
from cageflow.sim.threads import available_cores
from cageflow.studies.champion_table import ChampionTable, ChampionTables, SeedResult
from cageflow.studies.study import Kind, Say, Study, check_judging
from cageflow.studies.training import Training, whole_budget
from cageflow.studies.trainings import check_workers, train_all

SETTINGS = "champion.json"
KIND = Kind(SETTINGS, "champion", "a champion")
TRAINING: dict[str, Any] = {
    "preset": "champion",
    "red_agent": "mixed",
    "rules": "challenge",
    "total_episodes": 100_000,
}
"""What the training of a champion is, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class ChampionSettings:
    """What a run trains and how it is judged: by the nine cells of the protocol.

    Attributes:
        config: of each training, its seed aside.
        seeds: of the trainings.
        evaluation_episodes: of each cell, with each seed.
    """

    config: TrainConfig
    seeds: tuple[int, ...] = (1,)
    evaluation_episodes: int = EPISODES

    def __post_init__(self) -> None:
        if not isinstance(self.config, TrainConfig):
            raise UserError(f"command is {self.config.command!r}: a champion is trained by 'train', leave it out")
        check_judging(self.seeds, self.evaluation_episodes)

    @property
    def judged_rules(self) -> tuple[str, ...]:
        """Those that the trainings are made for, each with a table of its own."""
        return RULES if self.config.rules == MIXED_RULES else (self.config.rules,)

    def training(self, seed: int) -> TrainConfig:
        """The training with a seed, on its whole budget."""
        whole = whole_budget(self.config.total_episodes)
        return make_config_of(TrainConfig, {**self.config.to_json(), **whole, "seed": seed})

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {
            "config": self.config.to_json(),
            "seeds": list(self.seeds),
            "evaluation_episodes": self.evaluation_episodes,
        }


def make_settings(
    given: Mapping[str, Any], file: Path | None, seeds: tuple[int, ...], evaluation_episodes: int | None
) -> ChampionSettings:
    """The settings of a run.

    Args:
        given: fields of `TrainConfig` that a user names; None means not given.
        file: a YAML file of fields, or None; it goes before `TRAINING` and after `given`.
        seeds: of the trainings.
        evaluation_episodes: of each cell; None means not given.

    Raises:
        UserError: one cannot be used.
    """
    base = make_config_of(TrainConfig, {}, file).model_dump(exclude_unset=True) if file is not None else {}
    named = {name: value for name, value in given.items() if value is not None}
    several = {"num_threads": 1} if len(seeds) > 1 else {}  # which are trained at once
    config = make_config_of(TrainConfig, {**TRAINING, **several, **base, **named})
    return ChampionSettings(config=config, seeds=seeds, evaluation_episodes=evaluation_episodes or EPISODES)


def train_champion(
    settings: ChampionSettings, run_dir: Path | None, num_workers: int | None, say: Say
) -> ChampionTables:
    """Train and judge in a new folder, `num_workers` (None: one for each core) at once; raises as `KIND.new`."""
    check_workers(num_workers)
    config = settings.config
    with KIND.new(run_dir, "champion", f"champion-{config.rules}", settings.to_json(), config.game(), say) as study:
        return _carry_through(settings, study, num_workers)


def go_on(run_dir: Path, num_workers: int | None, say: Say) -> ChampionTables:
    """Go on with what was stopped, each training as if it never had been; raises as `KIND.read` and `KIND.resumed`."""
    settings = KIND.read(run_dir, _settings_of)
    check_workers(num_workers)
    with KIND.resumed(run_dir, "champion", say) as study:
        return _carry_through(settings, study, num_workers)


def _settings_of(content: dict[str, Any], path: Path) -> ChampionSettings:
    """Refuses a file that says whose code runs, which none of ours does."""
    values = content["config"]
    if not isinstance(values, dict):
        raise TypeError("config is no object")
    check_named(values, {}, path)
    content = {**content, "config": make_config_of(TrainConfig, {**BEFORE, **values}), "seeds": tuple(content["seeds"])}
    return ChampionSettings(**content)


def _carry_through(settings: ChampionSettings, study: Study, num_workers: int | None) -> ChampionTables:
    settings = replace(settings, config=settings.config.model_copy(update={"scenario": study.network}))
    trainings = [Training(settings.training(seed), study.run_dir / f"seed{seed}") for seed in settings.seeds]
    missing = [training for training in trainings if not training.is_finished]
    train_all(study, missing, num_workers or available_cores())
    tables = ChampionTables(tuple(_table(trainings, settings, study, rules) for rules in settings.judged_rules))
    study.write_table(tables.to_json(), md=tables.markdown())
    return tables


def _table(trainings: Sequence[Training], settings: ChampionSettings, study: Study, rules: str) -> ChampionTable:
    """What all have come to under some rules."""
    results = []
    for training in trainings:
        study.check()
        under = f", rules {rules}" if len(settings.judged_rules) > 1 else ""
        episodes = f"{settings.evaluation_episodes:,} episodes a cell"
        study.say(f"seed {training.config.seed}: playing the protocol, {episodes}{under}")
        results.append(_judge(training, settings, rules))
    return ChampionTable(study.run_dir, settings.config, tuple(results))


def _judge(training: Training, settings: ChampionSettings, rules: str) -> SeedResult:
    """What a trained policy comes to under some rules, taking its likeliest actions."""
    seed = training.config.seed
    source = find_agent(str(training.path), SourceOptions(deterministic=True))
    game = replace(settings.config.game(), rules=rules)
    evaluation = evaluate(source, EvaluationSettings(game, settings.evaluation_episodes, seed))
    return SeedResult(seed, evaluation, training.updates[-1].episodes, training.seconds)
