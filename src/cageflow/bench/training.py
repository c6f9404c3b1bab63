"""Measuring training: collectors against each other, and whole searches end to end."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from cageflow.collect import COLLECTORS, make_collector
from cageflow.runs.log_file import read_log
from cageflow.runs.logs import LOGS, UPDATES
from cageflow.runs.progress import Quiet
from cageflow.runs.runs import start
from cageflow.settings.commands import SearchConfig, TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.training.trainer import PolicyTrainer, game_spec
from cageflow.work.executors import make_processes

HAS_WORKERS = {"process", "sync"}
WARM_UP_UPDATES = 1  # compiles, and starts the processes


def bench_collectors(
    config: TrainConfig, workers: Sequence[int], updates: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Train for a few updates with each collector and number of workers.

    Args:
        config: of the training; its collector and number of workers are replaced.
        workers: numbers of worker processes; a collector without any is measured once.
        updates: counted updates.
        progress: is told what is being measured.

    Returns:
        "cells": one for each collector and number of workers, with episodes per second, the speed-up over `sync` with
        as many workers and over `sequential`, and the shares of the wall-clock time.
    """
    torch.set_num_threads(config.num_threads)
    cells: list[dict[str, Any]] = []
    for name in COLLECTORS:
        for num_workers in workers if name in HAS_WORKERS else [1]:
            progress(f"{name}, {num_workers} {'worker' if num_workers == 1 else 'workers'}")
            changed = config.model_copy(update={"collector": name, "n_workers": num_workers})
            cells.append({"collector": name, "workers": num_workers, **_time_collector(changed, updates)})
    sequential = next(cell["episodes_per_s"] for cell in cells if cell["collector"] == "sequential")
    sync = {cell["workers"]: cell["episodes_per_s"] for cell in cells if cell["collector"] == "sync"}
    for cell in cells:
        cell["over_sequential"] = cell["episodes_per_s"] / sequential
        same = cell["workers"] if cell["collector"] in HAS_WORKERS else max(sync)
        cell["over_sync"] = cell["episodes_per_s"] / sync[same]
    return {"simulator": config.simulator, "episodes_per_update": config.rollout().episodes_per_update, "cells": cells}


def _time_collector(config: TrainConfig, updates: int) -> dict[str, float]:
    """Episodes per second of a training, and where the time goes."""
    count = config.rollout().episodes_per_update
    collector = make_collector(config.collector, game_spec(config), config.n_workers)
    total = (updates + WARM_UP_UPDATES) * count
    trainer = PolicyTrainer(
        config, config.game(), config.order(), config.seed, max_episodes=total, cap="budget", collector=collector
    )
    for _ in range(WARM_UP_UPDATES):
        trainer.update()
    started = time.perf_counter()
    records = [trainer.update() for _ in range(updates)]
    seconds = time.perf_counter() - started
    trainer.close()
    collector.close()
    processes = config.n_workers if config.collector == "process" else 1
    simulation = sum(record.simulation_s for record in records) / processes
    inference = sum(record.inference_s for record in records) / processes
    waited = sum(record.collection_s for record in records)
    busy = min(1.0, waited / max(simulation + inference, 1e-9))  # the rest ran while the learner was busy
    return {
        "episodes_per_s": updates * count / seconds,
        "simulation_share": simulation * busy / seconds,
        "inference_share": inference * busy / seconds,
        "transfer_share": max(0.0, waited - simulation - inference) / seconds,
        "update_share": sum(record.stats.seconds for record in records) / seconds,
    }


def format_collectors(result: dict[str, Any]) -> str:
    """The result of `bench_collectors` as a table."""
    head = (
        f"{'collector':<11} {'workers':>7} {'episodes/s':>10} {'x sync':>7} {'x sequential':>12}   "
        f"{'simulation':>10} {'inference':>9} {'transfer':>8} {'update':>6}"
    )
    rows = [
        f"{cell['collector']:<11} {cell['workers']:>7} {cell['episodes_per_s']:>10.1f} {cell['over_sync']:>7.2f} "
        f"{cell['over_sequential']:>12.2f}   {cell['simulation_share']:>10.0%} {cell['inference_share']:>9.0%} "
        f"{cell['transfer_share']:>8.0%} {cell['update_share']:>6.0%}"
        for cell in result["cells"]
    ]
    title = f"{result['simulator']} simulator, {result['episodes_per_update']} episodes an update"
    return "\n".join([title, head, *rows])


def bench_train(settings: dict[str, Any], presets: Sequence[str], progress: Callable[[str], None]) -> dict[str, Any]:
    """Run a whole search with each preset, in a process of its own, end to end.

    Args:
        settings: of the search, by the names of `SearchConfig`.
        presets: names of the presets.
        progress: is told what is being measured.

    Returns:
        One object for each preset under its name: `episodes_per_s` end to end, the shares of the time spent updating
        and collecting (the rest is start, evaluation, the search and the disk), `seconds`, `peak_memory_mb`.
    """
    for preset in presets:
        make_config_of(SearchConfig, {**settings, "preset": preset})  # refuse before the first is measured
    results = {}
    for preset in presets:
        progress(f"{preset}: {settings['total_episodes']:,} episodes")
        with make_processes(1) as handle:
            results[preset] = handle.executor.submit(_time_search, {**settings, "preset": preset}).result()
    return results


def _time_search(settings: dict[str, Any]) -> dict[str, float]:
    started = time.perf_counter()
    config = make_config_of(SearchConfig, settings)
    with tempfile.TemporaryDirectory() as folder:
        summary = start(config, Path(folder) / "run", Quiet())
        seconds = time.perf_counter() - started
        updates = read_log(Path(folder) / "run" / LOGS["training"].name, UPDATES)
    unit = 1024.0 if sys.platform == "linux" else 1024.0**2  # of ru_maxrss: KiB, but bytes on macOS
    return {
        "episodes_per_s": summary.episodes / seconds,
        "update_share": sum(update.update_s for update in updates) / seconds,
        "collect_share": sum(update.collection_s for update in updates) / seconds,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        "seconds": seconds,
        "episodes": summary.episodes,
        "trials": summary.trials,
    }


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
