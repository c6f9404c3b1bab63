"""Baselines on equal budgets: each is trained if it must be, then evaluated on fresh episodes like the others.

What this package's PPO trains is a run of `cageflow train` in a folder of its own below `trainings`.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from cageflow.agents.baselines import BASELINES
from cageflow.agents.baselines.greedy import order_by_worth
from cageflow.agents.baselines.libraries import LIBRARIES, Tell, check_installed
from cageflow.agents.baselines.libraries import train as train_library
from cageflow.agents.sources import AgentSource, BaselineSource, PolicySource
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.options import GameOptions, split_game
from cageflow.envs.red_code import from_file, name_code
from cageflow.errors import UserError
from cageflow.evaluation.protocol import EvaluationSettings, evaluate
from cageflow.files import read_whole, write_whole
from cageflow.learn.policy_file import dump_policy, load_policy
from cageflow.runs.interrupt import StopRequest
from cageflow.scenario import Network
from cageflow.scenario.orders import Order, format_order
from cageflow.scenario.red_agents import short_red_name
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import check_named, make_config_of
from cageflow.studies.baseline_table import (
    BaselineRow,
    BaselineSummary,
    format_csv,
    format_markdown,
    read_baselines,
    summarize_rows,
    write_baselines,
)
from cageflow.studies.study import Kind, Say, Study, check_judging
from cageflow.studies.training import Training, whole_budget
from cageflow.workflow.compliance import DEFINITIONS

OWN_LEARNER: dict[str, dict[str, Any]] = {"fixed": {}, "ppo": {}, "ppo-unmasked": {"mask_actions": False}}
"""The baselines that this package's PPO trains, with their changes to its preset."""
NAMES = ("sleep", "random", "flagged", "react", "greedy", *OWN_LEARNER, *LIBRARIES)
"""The baselines, as the table has them."""
ALL = "all"

CONFIG, ROWS, POLICIES, TRAININGS = "baselines.json", "rows.csv", "policies", "trainings"
KIND = Kind(CONFIG, "baselines", "baselines")


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """What is measured.

    Attributes:
        name: one of NAMES, or ALL.
        workflow: as `format_order` writes it. `greedy` and `fixed` follow it, the fixes of the others are judged by it;
            None has `fixed` follow each order that the network names, `greedy` its own, and nobody else judged.
        total_episodes: that each one is trained for, with each seed.
        seeds: of trainings and evaluations.
        evaluation_episodes: fresh ones, for each seed.
        compliance_definition: one of `workflow.compliance.DEFINITIONS`.
        game: that is played.
    """

    name: str
    workflow: str | None = None
    total_episodes: int = 10_000
    seeds: tuple[int, ...] = (1,)
    evaluation_episodes: int = 1000
    compliance_definition: str = DEFINITIONS[0]
    game: GameOptions = GameOptions()

    def __post_init__(self) -> None:
        if self.name not in (*NAMES, ALL):
            raise UserError(f"unknown baseline {self.name!r}: choose one of {', '.join((*NAMES, ALL))}")
        if self.total_episodes < 1:
            raise UserError(f"total_episodes is {self.total_episodes}; expected a whole number from 1")
        check_judging(self.seeds, self.evaluation_episodes)
        if self.compliance_definition not in DEFINITIONS:
            raise UserError(
                f"unknown compliance definition {self.compliance_definition!r}: choose one of {', '.join(DEFINITIONS)}"
            )
        if self.workflow is not None:
            orders = self.game.network.orders
            object.__setattr__(self, "workflow", format_order(orders.parse(self.workflow)))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> BaselineSettings:
        """From settings by name, those of the game among them.

        Raises:
            UserError: a value is not possible.
        """
        game, others = split_game(values)
        return cls(game=game, **others)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data, those of the game among them."""
        others = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "game"}
        return {**others, "seeds": list(self.seeds), **self.game.to_json()}

    def entries(self) -> list[Entry]:
        """The lines of the table, in their order."""
        network = self.game.network
        order = None if self.workflow is None else network.orders.parse(self.workflow)
        names = NAMES if self.name == ALL else (self.name,)
        return [entry for name in names for entry in _entries(name, order, network)]


@dataclass(frozen=True)
class Entry:
    """A line of the table.

    Attributes:
        name: one of NAMES.
        order: that it follows or is judged by, or None.
        order_name: of a canonical one among several.
    """

    name: str
    order: Order | None
    order_name: str | None = None

    @property
    def label(self) -> str:
        """What the table calls it."""
        return self.name if self.order_name is None else f"{self.name} {self.order_name}"


@dataclass(frozen=True)
class BaselineTable:
    """What a run has come to.

    Attributes:
        run_dir: its folder.
        settings: what was measured.
        summaries: a line for each baseline.
    """

    run_dir: Path
    settings: BaselineSettings
    summaries: tuple[BaselineSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "run_dir": str(self.run_dir),
            **self.settings.to_json(),
            "network": self.settings.game.network.identity.to_json(),
            "rows": [summary.to_json() for summary in self.summaries],
        }


def measure(settings: BaselineSettings, run_dir: Path | None, say: Say) -> BaselineTable:
    """Measure in a new folder; `KIND.new` says how, and what may be wrong."""
    _check(settings)
    command, stem = f"baseline {settings.name}", f"baseline-{settings.name}-{short_red_name(settings.game.red_agent)}"
    with KIND.new(run_dir, command, stem, settings.to_json(), settings.game, say) as study:
        return _measure(settings, study)


def go_on(run_dir: Path, name: str, say: Say, red_agent: str | None = None) -> BaselineTable:
    """Go on with measuring the baseline `name` where it was stopped; raises as `KIND.resumed` and `measure`.

    Args:
        run_dir: the folder.
        name: of the baseline.
        say: is told how it gets on.
        red_agent: the one that is played against, named by the user where it is code.
    """
    settings = KIND.read(run_dir, _settings_of)
    if red_agent not in (None, settings.game.red_agent):
        raise UserError(f"{run_dir} is against {settings.game.red_agent}, not {red_agent}: name that one")
    check_named({"red_agent": settings.game.red_agent}, {"red_agent": red_agent}, run_dir / KIND.file)
    name_code(red_agent)
    settings = replace(settings, game=replace(settings.game, red_agent=from_file(str(settings.game.red_agent))))
    if settings.name != name:
        right = f"cageflow baseline {settings.name}"
        raise UserError(f"{run_dir} is a run of `{right}`: go on with `{right} --resume {shlex.quote(str(run_dir))}`")
    with KIND.resumed(run_dir, f"baseline {name}", say) as study:
        return _measure(settings, study)


def read_settings(run_dir: Path) -> BaselineSettings:
    """What a folder's run measures; raises as `KIND.read`."""
    return KIND.read(run_dir, _settings_of, is_signed=False)


def _settings_of(content: dict[str, Any], path: Path) -> BaselineSettings:
    try:
        return BaselineSettings.of({**content, "seeds": tuple(content["seeds"])})
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _entries(name: str, order: Order | None, network: Network) -> Iterator[Entry]:
    """The lines of one baseline."""
    if name == "fixed" and order is None:
        for order_name, canonical in network.orders.named.items():
            yield Entry(name, canonical, order_name)
    elif name == "greedy":
        yield Entry(name, order or order_by_worth(network))
    else:
        yield Entry(name, order)


def _check(settings: BaselineSettings) -> None:
    """Refuse what cannot be measured."""
    for entry in settings.entries():
        if entry.name in LIBRARIES:
            check_installed(entry.name)
        if entry.name in OWN_LEARNER:
            _config(entry, settings, settings.seeds[0])


def _measure(settings: BaselineSettings, study: Study) -> BaselineTable:
    """Measure what is not finished; lines that are stay as they are, all others are measured from their start."""
    settings = replace(settings, game=replace(settings.game, scenario=study.network))
    _check(settings)
    rows_path = study.run_dir / ROWS
    rows = read_baselines(rows_path)
    done = {(row.baseline, row.seed) for row in rows}
    wanted = {(entry.label, seed): entry for entry in settings.entries() for seed in settings.seeds}
    strange = done - wanted.keys()
    if strange:
        label, seed = min(strange)
        raise UserError(f"{rows_path} holds {label} with seed {seed}, which is none of this run's baselines")
    if done:
        study.say(f"{len(done)} of {len(wanted)} are finished already")
    for number, ((label, seed), entry) in enumerate(wanted.items(), start=1):
        if (label, seed) in done:
            continue
        what = f"[{number}/{len(wanted)}] {label}, seed {seed}"
        row = _measure_one(entry, seed, settings, study, what)
        rows.append(row)
        study.lock.check()
        write_baselines(rows_path, rows)
        trained = f", {row.episodes:,} episodes in {row.train_seconds:.0f} s" if row.episodes else ""
        study.say(f"{what}: {row.reward:.2f} ± {row.reward_se:.2f}{trained}")
        study.stop.check()
    # Read back, so that a run that went on has the same figures to the last digit; in the order of the table, since
    # what is finished stands in that of its end.
    place = {one: i for i, one in enumerate(wanted)}
    rows = sorted(read_baselines(rows_path), key=lambda row: place[row.baseline, row.seed])
    table = BaselineTable(study.run_dir, settings, tuple(summarize_rows(rows)))
    study.write_table(table.to_json(), md=format_markdown(table.summaries), csv=format_csv(table.summaries))
    return table


def _measure_one(entry: Entry, seed: int, settings: BaselineSettings, study: Study, what: str) -> BaselineRow:
    game = settings.game
    workflow = None if entry.order is None else WorkflowSpec(entry.order, 0.0, settings.compliance_definition)
    source: AgentSource
    if entry.name in BASELINES:
        name, episodes, train_seconds = None, 0, 0.0
        source = BaselineSource(entry.name, workflow)
    else:
        file = f"{_file_name(entry.label)}_seed{seed}"
        name, path = f"{POLICIES}/{file}.safetensors", study.run_dir / POLICIES / f"{file}.safetensors"
        tell = partial(_tell, what, settings.total_episodes, study)
        content, train_seconds = _trained(entry, seed, settings, study.run_dir / TRAININGS / file, tell, study.stop)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
        card = load_policy(path).card
        episodes = card.training_episodes
        source = PolicySource(entry.label, path, card, workflow, deterministic=False)
    started = time.monotonic()
    played = EvaluationSettings(game, settings.evaluation_episodes, seed, (game.max_steps,), (game.red_agent,))
    (cell,) = evaluate(source, played).cells
    return BaselineRow(
        baseline=entry.label,
        order=entry.order,
        seed=seed,
        reward=cell.summary.mean,
        reward_se=cell.summary.se,
        compliance=cell.compliance,
        episodes=episodes,
        train_seconds=train_seconds,
        evaluation_seconds=time.monotonic() - started,
        policy=name,
    )


def _trained(
    entry: Entry, seed: int, settings: BaselineSettings, folder: Path, tell: Tell, stop: StopRequest
) -> tuple[bytes, float]:
    """The policy file of a baseline that is trained, and the seconds that this took; `folder` is for a run of ours."""
    if entry.name in LIBRARIES:
        started = time.monotonic()
        policy = train_library(entry.name, settings.game, settings.total_episodes, seed, tell)
        return dump_policy(policy), time.monotonic() - started
    training = Training(_config(entry, settings, seed), folder)
    return read_whole(training.carry_through(tell, stop)), training.seconds


def _config(entry: Entry, settings: BaselineSettings, seed: int) -> TrainConfig:
    """The run that `cageflow train` would make of a baseline, but for its end: the whole budget is used up."""
    return make_config_of(
        TrainConfig,
        {
            "workflow": format_order(entry.order) if entry.name == "fixed" and entry.order is not None else None,
            **whole_budget(settings.total_episodes),
            "seed": seed,
            "compliance_definition": settings.compliance_definition,
            "workflow_mode": "rewarded",
            "ppo": OWN_LEARNER[entry.name],
            **settings.game.to_json(),
        },
    )


def _tell(what: str, total_episodes: int, study: Study, episodes: int) -> None:
    """Say now and then how a training gets on, and end it where a signal has asked for that."""
    study.stop.check()
    if study.is_silent:
        study.say(f"{what}: {episodes:,} of {total_episodes:,} episodes")


def _file_name(label: str) -> str:
    return re.sub(r"[^\w-]+", "_", label)
