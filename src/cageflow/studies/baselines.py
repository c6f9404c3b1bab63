"""Baselines on equal budgets: each is trained if it must be, then evaluated on fresh episodes like the others."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from cageflow.agents.baselines import BASELINES
from cageflow.agents.baselines.greedy import order_by_worth
from cageflow.agents.baselines.libraries import LIBRARIES, check_installed
from cageflow.agents.baselines.libraries import train as train_library
from cageflow.agents.sources import AgentSource, BaselineSource, PolicySource
from cageflow.collect import make_collector
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.options import GameOptions, split_game
from cageflow.errors import UserError
from cageflow.evaluation.protocol import EvaluationSettings, evaluate
from cageflow.files import write_whole
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import save_policy
from cageflow.runs.folder_lock import LOCK, FolderLock, lock_folder
from cageflow.runs.interrupt import catching_signals
from cageflow.runs.kept_network import NETWORK_TEXT, keep_network, read_network
from cageflow.runs.runs import telling_failures
from cageflow.runs.unfinished import check_new
from cageflow.scenario import Network
from cageflow.scenario.orders import Order, format_order
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import MADE_FOR, make_config_of
from cageflow.settings.settings_file import SUM, check_settings, dump_settings, read_object
from cageflow.studies.baseline_table import (
    BaselineRow,
    BaselineSummary,
    format_csv,
    format_markdown,
    read_baselines,
    summarize_rows,
    write_baselines,
)
from cageflow.training.trainer import PolicyTrainer, game_spec
from cageflow.workflow.compliance import DEFINITIONS

OWN_LEARNER: dict[str, dict[str, Any]] = {"fixed": {}, "ppo": {}, "ppo-unmasked": {"mask_actions": False}}
"""The baselines that this package's PPO trains, with their changes to its preset."""
NAMES = ("sleep", "random", "react", "greedy", *OWN_LEARNER, *LIBRARIES)
"""The baselines, as the table has them."""
ALL = "all"

CONFIG, ROWS, TABLE = "baselines.json", "rows.csv", "table"
TELL_EVERY_S = 10.0


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
        if self.evaluation_episodes < 2:
            raise UserError(
                f"evaluation_episodes is {self.evaluation_episodes}; a mean with its error needs at least 2"
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or not all(0 <= s < 2**32 for s in self.seeds):
            raise UserError(f"seeds are {self.seeds}; expected different whole numbers from 0 to {2**32 - 1}")
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


def measure(settings: BaselineSettings, run_dir: Path | None, say: Callable[[str], None]) -> BaselineTable:
    """Measure in a new folder.

    Args:
        settings: what.
        run_dir: the folder; None is one in `runs/` with a new name.
        say: is told how it gets on.

    Raises:
        UserError: the folder is not empty, the network is wrong, or a library is not installed; nothing is written.
        RunStoppedError: a signal asked for the end; the lines that are finished are kept.
    """
    run_dir = run_dir or _default_run_dir(settings)
    check_new(run_dir)
    _check(settings)
    run_dir.mkdir(parents=True, exist_ok=True)
    network, made_for = read_network(settings.game.scenario), settings.game.network.identity.to_json()
    write_whole(run_dir / CONFIG, dump_settings({**settings.to_json(), MADE_FOR: made_for, NETWORK_TEXT: network}))
    return _measure(_on_kept(settings, run_dir, network), run_dir, say)


def go_on(run_dir: Path, name: str, say: Callable[[str], None]) -> BaselineTable:
    """Go on with what was stopped: lines that are finished stay, all others are measured from their start.

    Args:
        run_dir: its folder.
        name: the baseline that the user asked for.
        say: is told how it gets on.

    Raises:
        UserError: the folder holds no such run, or something in it is not as it was written; or as for `measure`.
        RunStoppedError: as for `measure`.
    """
    content = check_settings(run_dir / CONFIG, _read(run_dir))
    settings = _settings_in(run_dir, content)
    if settings.name != name:
        right = f"cageflow baseline {settings.name} --resume {shlex.quote(str(run_dir))}"
        raise UserError(f"{run_dir} is a run of `cageflow baseline {settings.name}`: go on with `{right}`")
    settings = _on_kept(settings, run_dir, content.get(NETWORK_TEXT))
    _check(settings)
    return _measure(settings, run_dir, say)


def read_settings(run_dir: Path) -> BaselineSettings:
    """What a folder's run measures.

    Raises:
        UserError: it holds none, or one that this version cannot read.
    """
    return _settings_in(run_dir, _read(run_dir))


def _on_kept(settings: BaselineSettings, run_dir: Path, network: str | None) -> BaselineSettings:
    """The settings on the network that the folder keeps."""
    return replace(settings, game=replace(settings.game, scenario=keep_network(run_dir, network)))


def _read(run_dir: Path) -> dict[str, Any]:
    try:
        return read_object(run_dir / CONFIG)
    except OSError as error:
        raise UserError(f"{run_dir} holds no baselines: {CONFIG} cannot be read ({error.strerror})") from error


def _settings_in(run_dir: Path, content: Mapping[str, Any]) -> BaselineSettings:
    path = run_dir / CONFIG
    given = {name: value for name, value in content.items() if name not in (SUM, MADE_FOR, NETWORK_TEXT)}
    try:
        return BaselineSettings.of({**given, "seeds": tuple(given["seeds"])})
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is no configuration of baselines") from error


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
    """Refuse what cannot be measured, before anything is written."""
    _ = settings.game.network
    for entry in settings.entries():
        if entry.name in LIBRARIES:
            check_installed(entry.name)
        if entry.name in OWN_LEARNER:
            _config(entry, settings, settings.seeds[0])


def _measure(settings: BaselineSettings, run_dir: Path, say: Callable[[str], None]) -> BaselineTable:
    advice = f"go on with `cageflow baseline {settings.name} --resume {shlex.quote(str(run_dir))}`"
    with telling_failures(run_dir, advice), lock_folder(run_dir, run_dir / LOCK, say) as lock:
        return _measure_missing(settings, run_dir, say, lock, advice)


def _measure_missing(
    settings: BaselineSettings, run_dir: Path, say: Callable[[str], None], lock: FolderLock, advice: str
) -> BaselineTable:
    rows_path = run_dir / ROWS
    rows = read_baselines(rows_path)
    done = {(row.baseline, row.seed) for row in rows}
    wanted = [(entry, seed) for entry in settings.entries() for seed in settings.seeds]
    strange = done - {(entry.label, seed) for entry, seed in wanted}
    if strange:
        label, seed = min(strange)
        raise UserError(f"{rows_path} holds {label} with seed {seed}, which is none of this run's baselines")
    torch.set_num_threads(1)  # more wait for one another on networks this small
    if done:
        say(f"{len(done)} of {len(wanted)} are finished already")
    with catching_signals(advice, say) as stop:
        for number, (entry, seed) in enumerate(wanted, start=1):
            if (entry.label, seed) in done:
                continue
            what = f"[{number}/{len(wanted)}] {entry.label}, seed {seed}"
            teller = _Teller(what, settings.total_episodes, say, stop.check)
            row = _measure_one(entry, seed, settings, run_dir, teller)
            rows.append(row)
            lock.check()
            write_baselines(rows_path, rows)
            trained = f", {row.episodes:,} episodes in {row.train_seconds:.0f} s" if row.episodes else ""
            say(f"{what}: {row.reward:.2f} ± {row.reward_se:.2f}{trained}")
            stop.check()
    # Read back, so that a run that went on has the same figures to the last digit; in the order of the table, since
    # what is finished stands in that of its end.
    place = {(entry.label, seed): i for i, (entry, seed) in enumerate(wanted)}
    rows = sorted(read_baselines(rows_path), key=lambda row: place[row.baseline, row.seed])
    table = BaselineTable(run_dir, settings, tuple(summarize_rows(rows)))
    _write_table(table)
    return table


def _measure_one(
    entry: Entry, seed: int, settings: BaselineSettings, run_dir: Path, tell: Callable[[int], None]
) -> BaselineRow:
    started = time.monotonic()
    policy = _trained(entry, seed, settings, tell)
    trained = time.monotonic()
    workflow = None if entry.order is None else WorkflowSpec(entry.order, 0.0, settings.compliance_definition)
    source: AgentSource
    if policy is None:
        name, episodes = None, 0
        source = BaselineSource(entry.name, workflow)
    else:
        name, episodes = f"policies/{_file_name(entry.label)}_seed{seed}.safetensors", policy.card.training_episodes
        path = run_dir / name
        path.parent.mkdir(exist_ok=True)
        save_policy(path, policy)
        source = PolicySource(entry.label, path, policy.card, workflow, deterministic=False)
    game = settings.game
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
        train_seconds=trained - started if episodes else 0.0,
        evaluation_seconds=time.monotonic() - trained,
        policy=name,
    )


def _trained(entry: Entry, seed: int, settings: BaselineSettings, tell: Callable[[int], None]) -> Policy | None:
    """The policy of a baseline that is trained; None for one that is not."""
    if entry.name in BASELINES:
        return None
    if entry.name in LIBRARIES:
        return train_library(entry.name, settings.game, settings.total_episodes, seed, tell)
    config = _config(entry, settings, seed)
    order = entry.order if entry.name == "fixed" else None
    collector = make_collector(config.collector, game_spec(config), config.n_workers)
    try:
        trainer = PolicyTrainer(
            config, config.game(), order, seed, config.total_episodes, cap="budget", collector=collector
        )
        while trainer.ending() is None:
            trainer.update()
            tell(trainer.episodes)
        trainer.close()
        return trainer.policy(trainer.episodes)
    finally:
        collector.close()


def _config(entry: Entry, settings: BaselineSettings, seed: int) -> TrainConfig:
    """The run that `cageflow train` would make of a baseline, but for its end: the whole budget is used up."""
    return make_config_of(
        TrainConfig,
        {
            "workflow": format_order(entry.order) if entry.name == "fixed" and entry.order is not None else None,
            "total_episodes": settings.total_episodes,
            "min_episodes_per_trial": settings.total_episodes,
            "patience_updates": settings.total_episodes,
            "seed": seed,
            "compliance_definition": settings.compliance_definition,
            "ppo": OWN_LEARNER[entry.name],
            **settings.game.to_json(),
        },
    )


class _Teller:
    """Says now and then how a training gets on, and ends it where a signal has asked for that."""

    def __init__(self, what: str, total_episodes: int, say: Callable[[str], None], check: Callable[[], None]) -> None:
        self._what = what
        self._total_episodes = total_episodes
        self._say = say
        self._check = check
        self._told_at = time.monotonic()

    def __call__(self, episodes: int) -> None:
        """So many episodes have been played."""
        self._check()
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._say(f"{self._what}: {episodes:,} of {self._total_episodes:,} episodes")


def _write_table(table: BaselineTable) -> None:
    contents = {
        "md": format_markdown(table.summaries) + "\n",
        "csv": format_csv(table.summaries),
        "json": json.dumps(table.to_json(), indent=2) + "\n",
    }
    for suffix, content in contents.items():
        write_whole(table.run_dir / f"{TABLE}.{suffix}", content.encode())


def _file_name(label: str) -> str:
    return re.sub(r"[^\w-]+", "_", label)


def _default_run_dir(settings: BaselineSettings, root: Path = Path("runs")) -> Path:
    stem = f"baseline-{settings.name}-{settings.game.red_agent}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(root / name for name in names if not (root / name).exists())
