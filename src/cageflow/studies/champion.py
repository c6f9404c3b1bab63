"""One defender against all red agents, trained with several seeds and judged by the challenge's protocol.

A run is a folder: `champion.json` (what was asked for), a folder `seedN` for each seed, which is a run of
`cageflow train` like any other, and at the end the table as `table.md` and `table.json`. For both rule sets there are a
`seedN-v2.1` and a `seedN-challenge`, and what they have come to is joined in one policy, `seedN.safetensors`. Beside a
training stand its beginnings, where there are several, `seedN-start1` and so on, and what follows it where it is
hardened in rounds: `seedN-red1`, `seedN-blue1` and so on, `seedN-last`.
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
from cageflow.learn.joining import join_rules
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy, save_policy
from cageflow.runs.checkpoint import finished_policy
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import BEFORE, check_named, make_config_of
from cageflow.sim.threads import available_cores
from cageflow.studies.champion_table import ChampionTable, ChampionTables, SeedResult
from cageflow.studies.habits import HABIT_RULES
from cageflow.studies.hardening import GATED_RULES, Line, harden
from cageflow.studies.starts import MOST_STARTS, start_all
from cageflow.studies.study import Kind, Say, Study, check_judging
from cageflow.studies.training import Training, whole_budget
from cageflow.studies.trainings import check_workers, name_by_seed

SETTINGS = "champion.json"
KIND = Kind(SETTINGS, "champion", "a champion")
MOST_ROUNDS = 100
TRAINING: dict[str, Any] = {
    "preset": "champion",
    "red_agent": "mixed",
    "red_mixture": "bline=4,meander=4,switch=1,late-bline=1,sleepy-meander=1",
    "rules": "mixed",
    "green_share": 0.3,
    "perturbed_starts": 0.03,
    "total_episodes": 100_000,
}
"""What the training of a champion is, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class ChampionSettings:
    """What a run trains and how it is judged: by the nine cells of the protocol.

    Attributes:
        config: of each training, its seed aside, and its rules where it says both.
        seeds: of the trainings.
        evaluation_episodes: of each cell, with each seed.
        rounds: in each of which a red agent learns against the defender, and the defender learns on; 0 for none.
        starts: beginnings of each training, of which the best goes on; see `starts`.
        restore_gates: whether rounds begin with futile Restores closed, see `hardening`.
        remove_habit: whether trainings begin with a habit where it pays, see `habits`. Both are for policies with a
            memory and tanh layers, without a workflow.
    """

    config: TrainConfig
    seeds: tuple[int, ...] = (1,)
    evaluation_episodes: int = EPISODES
    rounds: int = 0
    starts: int = 1
    restore_gates: bool = False
    remove_habit: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.config, TrainConfig):
            raise UserError(f"command is {self.config.command!r}: a champion is trained by 'train', leave it out")
        check_judging(self.seeds, self.evaluation_episodes)
        if not 0 <= self.rounds <= MOST_ROUNDS:
            raise UserError(f"rounds is {self.rounds}; expected a whole number from 0 to {MOST_ROUNDS}")
        if not 1 <= self.starts <= MOST_STARTS:
            raise UserError(f"starts is {self.starts}; expected a whole number from 1 to {MOST_STARTS}")
        if self.starts > 1 and self.config.total_episodes == 1:
            raise UserError("total_episodes is 1; expected at least 2, half for the beginnings and half for the best")
        if self.restore_gates and self.rounds == 0:
            raise UserError("restore_gates is given and rounds is 0; expected at least 1, before which they begin")
        for name, rules in (("restore_gates", GATED_RULES), ("remove_habit", HABIT_RULES)):
            if getattr(self, name):
                self._check_wired(name, rules)
        if self.remove_habit and self.config.start_from is not None:
            raise UserError(
                f"remove_habit is given and start_from is {self.config.start_from}: expected one of the two"
            )

    def _check_wired(self, name: str, rules: str) -> None:
        if rules not in self.judged_rules:
            raise UserError(f"{name} is given and rules is {self.config.rules}: expected {rules} or mixed")
        tanh = self.config.learner().activation == "tanh"
        if not self.config.rollout().memory or not tanh or self.config.workflow is not None:
            raise UserError(f"{name} is given: expected a policy with a memory, tanh layers and no workflow")

    @property
    def judged_rules(self) -> tuple[str, ...]:
        """Those that each seed is trained for and judged by, each with a table of its own."""
        return RULES if self.config.rules == MIXED_RULES else (self.config.rules,)

    def training(self, seed: int, rules: str | None = None) -> TrainConfig:
        """The training with a seed, on its whole budget, for one of `judged_rules`; None is the only one."""
        own = {**whole_budget(self.config.total_episodes), "seed": seed, "rules": rules or self.config.rules}
        return make_config_of(TrainConfig, {**self.config.to_json(), **own})

    def name_of(self, training: Training) -> str:
        """What it is called in what is said."""
        rules = f", rules {training.config.rules}" if len(self.judged_rules) > 1 else ""
        return f"{name_by_seed(training)}{rules}"

    def folder(self, seed: int, rules: str) -> str:
        """The name of that training's folder."""
        return f"seed{seed}-{rules}" if len(self.judged_rules) > 1 else f"seed{seed}"

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {
            "config": self.config.to_json(),
            "seeds": list(self.seeds),
            "evaluation_episodes": self.evaluation_episodes,
            "rounds": self.rounds,
            "starts": self.starts,
            "restore_gates": self.restore_gates,
            "remove_habit": self.remove_habit,
        }


def make_settings(
    given: Mapping[str, Any],
    file: Path | None,
    seeds: tuple[int, ...],
    evaluation_episodes: int | None,
    rounds: int | None = None,
    starts: int | None = None,
    *,
    restore_gates: bool = False,
    remove_habit: bool = False,
) -> ChampionSettings:
    """The settings of a run.

    Args:
        given: fields of `TrainConfig` that a user names; None means not given.
        file: a YAML file of fields, or None; it goes before `TRAINING` and after `given`.
        seeds: of the trainings.
        evaluation_episodes: of each cell; None means not given.
        rounds: of hardening; None means not given.
        starts: beginnings of each training; None means not given.
        restore_gates: whether rounds begin with futile Restores closed.
        remove_habit: whether trainings begin with a habit.

    Raises:
        UserError: one cannot be used.
    """
    base = make_config_of(TrainConfig, {}, file).model_dump(exclude_unset=True) if file is not None else {}
    named = {name: value for name, value in given.items() if value is not None}
    usual = TRAINING
    if "red_agent" in {**base, **named}:  # who asks for one means it
        usual = {name: value for name, value in TRAINING.items() if name != "red_mixture"}
    at_once = len(seeds) > 1 or (starts is not None and starts > 1)
    several = {"num_threads": 1} if at_once else {}
    config = make_config_of(TrainConfig, {**usual, **several, **base, **named})
    return ChampionSettings(
        config=config,
        seeds=seeds,
        evaluation_episodes=EPISODES if evaluation_episodes is None else evaluation_episodes,
        rounds=0 if rounds is None else rounds,
        starts=1 if starts is None else starts,
        restore_gates=restore_gates,
        remove_habit=remove_habit,
    )


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
    trainings = [
        Training(settings.training(seed, rules), study.run_dir / settings.folder(seed, rules))
        for seed in settings.seeds
        for rules in settings.judged_rules
    ]
    num_workers = num_workers or available_cores()
    episodes, name = settings.evaluation_episodes, settings.name_of
    started = start_all(
        study, trainings, settings.starts, episodes, num_workers, name, remove_habit=settings.remove_habit
    )
    lines = harden(study, started, settings.rounds, num_workers, restore_gates=settings.restore_gates)
    if len(settings.judged_rules) > 1:
        for seed in settings.seeds:
            study.check()
            _join(study.run_dir / f"seed{seed}.safetensors", [one for one in lines if one.first.config.seed == seed])
    tables = ChampionTables(tuple(_table(lines, settings, study, rules) for rules in settings.judged_rules))
    study.write_table(tables.to_json(), md=tables.markdown())
    return tables


def _join(path: Path, lines: Sequence[Line]) -> None:
    """Join what defenders for each of RULES have come to in one policy file, whose card counts all their episodes."""
    first, second = (_whole(load_policy(file), line) for line in lines if (file := finished_policy(line.last.path)))
    save_policy(path, join_rules((first, second)))


def _whole(policy: Policy, line: Line) -> Policy:
    return Policy(replace(policy.card, training_episodes=line.episodes), policy.layers, policy.order_encoding)


def _table(lines: Sequence[Line], settings: ChampionSettings, study: Study, rules: str) -> ChampionTable:
    """What all have come to under some rules."""
    results = []
    for line in lines:
        if line.first.config.rules != rules:
            continue
        study.check()
        name = settings.name_of(line.first)
        study.say(f"{name}: playing the protocol, {settings.evaluation_episodes:,} episodes a cell")
        results.append(_judge(line, settings, study))
    return ChampionTable(study.run_dir, settings.config, tuple(results))


def _judge(line: Line, settings: ChampionSettings, study: Study) -> SeedResult:
    """What a trained policy comes to under its rules, taking its likeliest actions; of both as it is joined."""
    seed = line.first.config.seed
    path = study.run_dir / f"seed{seed}.safetensors" if len(settings.judged_rules) > 1 else line.last.path
    source = find_agent(str(path), SourceOptions(deterministic=True))
    game = replace(settings.config.game(), rules=line.first.config.rules)
    evaluation = evaluate(source, EvaluationSettings(game, settings.evaluation_episodes, seed))
    return SeedResult(seed, evaluation, line.episodes, line.seconds)
