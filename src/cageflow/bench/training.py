"""Measuring training: collectors against each other, and whole searches end to end."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cageflow.collect import COLLECTORS, make_collector
from cageflow.collect.collectors import check_collector
from cageflow.numerics.compiling import num_compiled
from cageflow.runs.log_file import read_log
from cageflow.runs.logs import LOGS, UPDATES
from cageflow.runs.progress import Quiet
from cageflow.runs.runs import start
from cageflow.settings.commands import SearchConfig, TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.training.trainer import PolicyTrainer, game_spec
from cageflow.work.executors import make_processes

HAS_WORKERS = {"process", "sync"}
WARM_UP_UPDATES = 1  # compiles, and starts the processes; meanwhile these play as far ahead as they may


def bench_collectors(
    config: TrainConfig,
    workers: Sequence[int],
    updates: int,
    progress: Callable[[str], None],
    collectors: Sequence[str] = tuple(COLLECTORS),
    steps_per_s: float | None = None,
) -> dict[str, Any]:
    """Train for a few updates with each collector and number of workers.

    Args:
        config: of the training; its collector and number of workers are replaced.
        workers: numbers of worker processes; a collector without any is measured once.
        updates: counted updates.
        progress: is told what is being measured.
        collectors: that are measured, by name.
        steps_per_s: that each game is slowed down to, its workers asleep for the rest; None for as fast as it goes.

    Returns:
        "cells": one for each collector and number of workers, with episodes per second, the speed-up over `sync` with
        as many workers and over `sequential` (None where that is not measured), the shares of the wall-clock time, and
        episodes per CPU second of this process, in which the learner is: more it cannot learn from, however many
        workers there are. Where games are slowed down also "ideal_share": what part it is of the episodes of so many
        workers that do nothing but play.
    """
    for name in collectors:
        check_collector(name)
    cells: list[dict[str, Any]] = []
    for name in collectors:
        for num_workers in workers if name in HAS_WORKERS else [1]:
            progress(f"{name}, {num_workers} {'worker' if num_workers == 1 else 'workers'}")
            alike = {**config.ppo, "small_updates": False}
            changed = config.model_copy(update={"collector": name, "n_workers": num_workers, "ppo": alike})
            cells.append({"collector": name, "workers": num_workers, **_time_collector(changed, updates, steps_per_s)})
    sequential = next((cell["episodes_per_s"] for cell in cells if cell["collector"] == "sequential"), None)
    sync = {cell["workers"]: cell["episodes_per_s"] for cell in cells if cell["collector"] == "sync"}
    for cell in cells:
        cell["over_sequential"] = sequential and cell["episodes_per_s"] / sequential
        same = cell["workers"] if cell["collector"] in HAS_WORKERS else max(sync, default=0)
        cell["over_sync"] = cell["episodes_per_s"] / sync[same] if sync else None
        if steps_per_s is not None:
            cell["ideal_share"] = cell["episodes_per_s"] * config.game().max_steps / (steps_per_s * cell["workers"])
    return {
        "simulator": config.simulator,
        "steps_per_s": steps_per_s,
        "episodes_per_update": config.rollout().episodes_per_update,
        "cells": cells,
    }


def _time_collector(config: TrainConfig, updates: int, steps_per_s: float | None) -> dict[str, float]:
    """Episodes per second of a training, and where the time goes."""
    count = config.rollout().episodes_per_update
    spec = replace(game_spec(config), steps_per_s=steps_per_s)
    collector = make_collector(config.collector, spec, config.n_workers)
    warm_up = WARM_UP_UPDATES + (config.max_staleness if config.collector == "process" else 0)
    total = (updates + warm_up) * count
    trainer = PolicyTrainer(
        config, config.game(), config.order(), config.seed, max_episodes=total, cap="budget", collector=collector
    )
    for _ in range(warm_up):
        trainer.update()
    started, own_started = time.perf_counter(), time.process_time()
    records = [trainer.update() for _ in range(updates)]
    seconds, own_s = time.perf_counter() - started, time.process_time() - own_started
    trainer.close()
    collector.close()
    processes = config.n_workers if config.collector == "process" else 1
    simulation = sum(record.simulation_s for record in records) / processes
    inference = sum(record.inference_s for record in records) / processes
    waited = sum(record.collection_s for record in records)
    busy = min(1.0, waited / max(simulation + inference, 1e-9))  # the rest ran while the learner was busy
    return {
        "episodes_per_s": updates * count / seconds,
        "episodes_per_own_cpu_s": updates * count / own_s,
        "simulation_share": simulation * busy / seconds,
        "inference_share": inference * busy / seconds,
        "transfer_share": max(0.0, waited - simulation - inference) / seconds,
        "update_share": sum(record.stats.seconds for record in records) / seconds,
    }


def format_collectors(result: dict[str, Any]) -> str:
    """The result of `bench_collectors` as a table."""
    head = (
        f"{'collector':<11} {'workers':>7} {'episodes/s':>10} {'x sync':>7} {'x sequential':>12}   "
        f"{'simulation':>10} {'inference':>9} {'transfer':>8} {'update':>6}   {'learner/s':>9} {'of ideal':>8}"
    )
    rows = [
        f"{cell['collector']:<11} {cell['workers']:>7} {cell['episodes_per_s']:>10.1f} "
        f"{_times(cell['over_sync']):>7} {_times(cell['over_sequential']):>12}   "
        f"{cell['simulation_share']:>10.0%} {cell['inference_share']:>9.0%} "
        f"{cell['transfer_share']:>8.0%} {cell['update_share']:>6.0%}   {cell['episodes_per_own_cpu_s']:>9.0f} "
        f"{format(cell['ideal_share'], '.0%') if 'ideal_share' in cell else '':>8}"
        for cell in result["cells"]
    ]
    pace = "" if result["steps_per_s"] is None else f" slowed down to {result['steps_per_s']:g} steps/s"
    title = f"{result['simulator']} simulator{pace}, {result['episodes_per_update']} episodes an update"
    return "\n".join(line.rstrip() for line in [title, head, *rows])


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def bench_train(settings: dict[str, Any], presets: Sequence[str], progress: Callable[[str], None]) -> dict[str, Any]:
    """Run a whole search with each preset, in a process of its own, one trial at a time, end to end.

    One that had to compile is run once more, in another process, and the first is forgotten.

    Args:
        settings: of the search, by the names of `SearchConfig`.
        presets: names of the presets.
        progress: is told what is being measured.

    Returns:
        One object for each preset under its name: `episodes_per_s` end to end, the shares of the time spent updating
        and collecting (the rest is start, evaluation, the search and the disk), `seconds`, `peak_memory_mb`.
    """
    settings = {"executor": "inline", **settings}
    for preset in presets:
        make_config_of(SearchConfig, {**settings, "preset": preset})  # refuse before the first is measured
    results = {}
    for preset in presets:
        progress(f"{preset}: {settings['total_episodes']:,} episodes")
        results[preset], has_compiled = _time_in_process({**settings, "preset": preset})
        if has_compiled:
            progress(f"{preset}: once more, since it had to compile")
            results[preset], _ = _time_in_process({**settings, "preset": preset})
    return results


def _time_in_process(settings: dict[str, Any]) -> tuple[dict[str, float], bool]:
    """What `_time_search` gives in a process of its own."""
    with make_processes(1) as handle:
        return handle.executor.submit(_time_search, settings).result()


def _time_search(settings: dict[str, Any]) -> tuple[dict[str, float], bool]:
    """The figures of a search, and whether anything was compiled for it."""
    started = time.perf_counter()
    config = make_config_of(SearchConfig, settings)
    with tempfile.TemporaryDirectory() as folder:
        summary = start(config, Path(folder) / "run", Quiet())
        seconds = time.perf_counter() - started
        updates = read_log(Path(folder) / "run" / LOGS["training"].name, UPDATES)
    unit = 1024.0 if sys.platform == "linux" else 1024.0**2  # of ru_maxrss: KiB, but bytes on macOS
    figures = {
        "episodes_per_s": summary.episodes / seconds,
        "update_share": sum(update.update_s for update in updates) / seconds,
        "collect_share": sum(update.collection_s for update in updates) / seconds,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "seconds": seconds,
        "episodes": summary.episodes,
        "trials": summary.trials,
    }
    return figures, num_compiled() > 0


def format_train(results: dict[str, Any]) -> str:
    """The result of `bench_train` as a table."""
    head = (
        f"{'preset':<11} {'episodes':>9} {'seconds':>8} {'episodes/s':>10} {'update':>7} {'collect':>8} {'memory':>9}"
    )
    rows = [
        f"{preset:<11} {cell['episodes']:>9,} {cell['seconds']:>8.1f} {cell['episodes_per_s']:>10.0f} "
        f"{cell['update_share']:>7.0%} {cell['collect_share']:>8.0%} {cell['peak_memory_mb']:>6.0f} MB"
        for preset, cell in results.items()
    ]
    return "\n".join([head, *rows])
