"""One defender against all red agents, trained with several seeds and judged by the challenge's protocol.

A run is a folder: `champion.json` (what was asked for), a folder `seedN` for each seed, which is a run of
`cageflow train` like any other, and at the end the table as `table.md` and `table.json`.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.errors import UserError
from cageflow.evaluation.protocol import EPISODES, Evaluation, EvaluationSettings, evaluate
from cageflow.files import write_whole
from cageflow.runs import runs
from cageflow.runs.checkpoint import finished_policy
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.interrupt import RunFailedError, RunStoppedError, catching_signals
from cageflow.runs.kept_network import NETWORK_TEXT, keep_network, read_network
from cageflow.runs.layout import CONFIG
from cageflow.runs.log_file import read_log
from cageflow.runs.logs import LOGS, UPDATES, LoggedUpdate
from cageflow.runs.progress import Quiet
from cageflow.runs.unfinished import check_new
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import MADE_FOR, check_named, make_config_of
from cageflow.settings.settings_file import check_settings, dump_settings, read_object
from cageflow.sim.threads import available_cores
from cageflow.studies.champion_table import ChampionTable, SeedResult
from cageflow.work.executors import ExecutorHandle
from cageflow.work.pool import Pool
from cageflow.work.worker_process import PARENT_CHECK_S
from cageflow.work.worker_processes import WorkerProcesses

SETTINGS = "champion.json"
TABLE = "table"
SAY_S = 10.0
ORPHAN_S = 10 * PARENT_CHECK_S
TRAINING: dict[str, Any] = {
    "preset": "champion",
    "red_agent": "mixed",
    "rules": "challenge",
    "total_episodes": 100_000,
}
"""What the training of a champion is, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class ChampionSettings:
    """What a run trains and how it is judged.

    Attributes:
        config: of each training, its seed aside.
        seeds: of the trainings.
        evaluation_episodes: of each of the nine cells, with each seed.
    """

    config: TrainConfig
    seeds: tuple[int, ...] = (1,)
    evaluation_episodes: int = EPISODES

    def __post_init__(self) -> None:
        if not isinstance(self.config, TrainConfig):
            raise UserError(f"command is {self.config.command!r}: a champion is trained by 'train', leave it out")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or not all(0 <= s < 2**32 for s in self.seeds):
            raise UserError(f"seeds are {self.seeds}; expected different whole numbers from 0 to {2**32 - 1}")
        if self.evaluation_episodes < 2:
            raise UserError(
                f"evaluation_episodes is {self.evaluation_episodes}; a mean with its error needs at least 2"
            )

    def training(self, seed: int) -> TrainConfig:
        """The training with a seed.

        A workflow's compliance is judged on the way; no training ends before its episodes are used up.
        """
        total = self.config.total_episodes
        whole = {"min_episodes_per_trial": total, "patience_updates": total}
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
    config = make_config_of(TrainConfig, {**TRAINING, **base, **named})
    return ChampionSettings(config=config, seeds=seeds, evaluation_episodes=evaluation_episodes or EPISODES)


def train_champion(
    settings: ChampionSettings, run_dir: Path | None, num_workers: int | None, say: Callable[[str], None]
) -> ChampionTable:
    """Train and judge in a new folder.

    Args:
        settings: what.
        run_dir: the folder; None is one in `runs/` with a new name.
        num_workers: trainings at once; None is one for each core.
        say: is told how it gets on.

    Raises:
        UserError: the folder is not empty, or a setting cannot be used; nothing is written.
        RunStoppedError: a signal asked for the end; what is trained is kept.
        RunFailedError: a training broke down.
    """
    run_dir = run_dir or _default_run_dir(settings)
    check_new(run_dir)
    _check_workers(num_workers)
    _ = settings.config.game().network
    run_dir.mkdir(parents=True, exist_ok=True)
    network, made_for = read_network(settings.config.scenario), settings.config.game().network.identity.to_json()
    write_whole(run_dir / SETTINGS, dump_settings({**settings.to_json(), MADE_FOR: made_for, NETWORK_TEXT: network}))
    return _carry_through(_on_kept(settings, run_dir, network), run_dir, num_workers, say)


def go_on(run_dir: Path, num_workers: int | None, say: Callable[[str], None]) -> ChampionTable:
    """Go on with what was stopped, each training as if it never had been; as `train_champion`.

    Raises:
        UserError: the folder holds no such run.
    """
    path = run_dir / SETTINGS
    try:
        content = check_settings(path, read_object(path))
        settings = ChampionSettings(
            config=_config_in(content["config"], path),
            seeds=tuple(content["seeds"]),
            evaluation_episodes=content["evaluation_episodes"],
        )
    except OSError as error:
        raise UserError(f"{run_dir} holds no champion: {SETTINGS} cannot be read ({error.strerror})") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is no configuration of a champion ({error})") from error
    settings = _on_kept(settings, run_dir, content.get(NETWORK_TEXT))
    return _carry_through(settings, run_dir, num_workers, say)


def _config_in(values: Any, file: Path) -> TrainConfig:
    """The configuration of the trainings.

    Raises:
        UserError: it is none, or says whose code runs, which none of ours does.
    """
    if not isinstance(values, dict):
        raise TypeError("config is no object")
    check_named(values, {}, file)
    return make_config_of(TrainConfig, values)


def _on_kept(settings: ChampionSettings, run_dir: Path, network: str | None) -> ChampionSettings:
    """The settings on the network that the folder keeps."""
    scenario = keep_network(run_dir, network)
    return replace(settings, config=settings.config.model_copy(update={"scenario": scenario}))


def _carry_through(
    settings: ChampionSettings, run_dir: Path, num_workers: int | None, say: Callable[[str], None]
) -> ChampionTable:
    _check_workers(num_workers)
    advice = f"go on with `cageflow champion --resume {shlex.quote(str(run_dir))}`"
    with (
        runs.telling_failures(run_dir, advice),
        lock_folder(run_dir, run_dir / LOCK, say) as lock,
        catching_signals(advice, say) as stop,
    ):

        def check() -> None:
            stop.check()
            lock.check()

        missing = [seed for seed in settings.seeds if finished_policy(_folder(run_dir, seed)) is None]
        _train_all(settings, run_dir, missing, num_workers or available_cores(), say, check)
        results = []
        for seed in settings.seeds:
            check()
            say(f"seed {seed}: playing the protocol, {settings.evaluation_episodes:,} episodes a cell")
            results.append(_judge(settings, run_dir, seed))
        table = ChampionTable(run_dir, settings.config, tuple(results))
        write_whole(run_dir / f"{TABLE}.md", (table.markdown() + "\n").encode())
        write_whole(run_dir / f"{TABLE}.json", (json.dumps(table.to_json(), indent=2) + "\n").encode())
        return table


def _check_workers(num_workers: int | None) -> None:
    if num_workers is not None and num_workers < 1:
        raise UserError(f"n_workers is {num_workers}; expected a whole number from 1")


def _train_all(
    settings: ChampionSettings,
    run_dir: Path,
    seeds: Sequence[int],
    num_workers: int,
    say: Callable[[str], None],
    check: Callable[[], None],
) -> None:
    """Train with some seeds, at most `num_workers` at once, in processes that write their checkpoint when stopped."""
    workers = WorkerProcesses(num_workers)
    handle = ExecutorHandle(workers, "", workers.terminate)
    said = time.monotonic()

    def look() -> None:
        nonlocal said
        check()
        if time.monotonic() - said >= SAY_S:
            said = time.monotonic()
            for config, _ in pool.pending[:num_workers]:
                say(_progress(settings, run_dir, config.seed))

    with Pool(lambda: handle, _train, _name) as pool:
        for seed in seeds:
            pool.submit((settings.training(seed), _folder(run_dir, seed)))
        while pool.pending:
            training, failure = pool.next_done(look)
            check()
            if failure is not None:
                raise RunFailedError(f"{_name(training)} failed: {failure}")
            say(_progress(settings, run_dir, training[0].seed))


def _name(training: tuple[TrainConfig, Path]) -> str:
    return f"the training with seed {training[0].seed}"


def _train(training: tuple[TrainConfig, Path]) -> str | None:
    """Train with one seed in this process, a worker's, or go on with it; what it failed of, if it did."""
    config, path = training
    try:
        if (path / CONFIG).exists():
            # The champion's own lock is ours, so who still has the training outlives its parent, and not for long.
            runs.resume(path, "train", Quiet(), wait_s=ORPHAN_S)
        else:
            runs.start(config, path, Quiet())
    except (UserError, RunFailedError, RunStoppedError) as error:
        return str(error)
    return None


def _progress(settings: ChampionSettings, run_dir: Path, seed: int) -> str:
    """Where a training stands, from its log."""
    updates = _updates(_folder(run_dir, seed))
    if not updates:
        return f"seed {seed}: starting"
    last = updates[-1]
    words = f"seed {seed}: {last.episodes:,} of {settings.config.total_episodes:,} episodes"
    compliance = "" if last.order is None else f", compliance {last.compliance:.1%}"
    return f"{words}, return {last.env_reward:.2f}{compliance}"


def _updates(folder: Path) -> list[LoggedUpdate]:
    """The lines of a training's log that are whole."""
    return read_log(folder / LOGS["training"].name, UPDATES)


def _judge(settings: ChampionSettings, run_dir: Path, seed: int) -> SeedResult:
    """What a trained policy comes to, taking its likeliest actions."""
    folder = _folder(run_dir, seed)
    source = find_agent(str(folder), SourceOptions(deterministic=True))
    protocol = EvaluationSettings(settings.config.game(), settings.evaluation_episodes, seed)
    evaluation: Evaluation = evaluate(source, protocol)
    updates = _updates(folder)
    seconds = sum(update.collection_s + update.update_s for update in updates)
    return SeedResult(seed, evaluation, updates[-1].episodes, seconds)


def _folder(run_dir: Path, seed: int) -> Path:
    return run_dir / f"seed{seed}"


def _default_run_dir(settings: ChampionSettings) -> Path:
    """A folder that there is not yet."""
    stem = f"champion-{settings.config.rules}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, number = Path("runs") / stem, 2
    while path.exists():
        path, number = Path("runs") / f"{stem}-{number}", number + 1
    return path
