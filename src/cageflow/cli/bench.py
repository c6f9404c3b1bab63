"""The commands that measure this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import bench_app
from cageflow.cli.options import (
    CyborgPath,
    Device,
    DurationsOfActions,
    Json,
    PerUpdate,
    PerWorkflow,
    Preset,
    RedAgent,
    ScenarioFile,
    Seed,
    Simulator,
    Staleness,
    Threads,
    option,
)
from cageflow.cli.output import print_json, whole_numbers
from cageflow.cli.telling import Telling
from cageflow.errors import UserError

MOST = 1024  # threads or processes: the system breaks down on absurd numbers
MOST_GAMES = 16_777_216


@bench_app.command("sim")
def bench_sim(
    red_agent: Annotated[str, typer.Option(help="A red agent, as for `cageflow train`.")] = "B_lineAgent",
    num_envs: Annotated[
        int, typer.Option(help="Environments of the batch.", min=1, max=1_048_576, metavar="<int>")
    ] = 8192,
    num_threads: Annotated[str, typer.Option(help="Numbers of threads, separated by commas.")] = "1,2",
    repetitions: Annotated[int, typer.Option(help="Measurements; the median counts.", min=1)] = 9,
    cyborg_path: Annotated[Path | None, option("An installed CybORG to compare with.")] = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    as_json: Json = False,
) -> None:
    """Measure the simulator: steps per second in a batch, one Gymnasium step, compilation, memory."""
    from cageflow.bench import simulator as benchmark
    from cageflow.envs.options import GameOptions

    numbers = whole_numbers("--num-threads", num_threads, MOST)
    with Telling("measuring") as say:
        result = benchmark.bench_sim(
            GameOptions(red_agent, scenario=scenario, durations=durations or "file"),
            num_envs=num_envs,
            threads=numbers,
            repeats=repetitions,
            seed=seed,
            cyborg_path=cyborg_path,
            progress=say,
        )
    if as_json:
        print_json(result)
    else:
        terminal.say(benchmark.format_sim(result))


@bench_app.command("cuda")
def bench_cuda(
    red_agent: Annotated[str, typer.Option(help="A red agent, as for `cageflow train`.")] = "RedMeanderAgent",
    num_envs: Annotated[str, typer.Option(help="Numbers of games at once, separated by commas.")] = (
        "8192,131072,1048576"
    ),
    compared: Annotated[int, typer.Option(help="Games compared step by step.", min=1, max=1_048_576)] = 8192,
    repetitions: Annotated[int, typer.Option(help="Measurements; the median counts.", min=1)] = 9,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    as_json: Json = False,
) -> None:
    """See that a GPU plays the same games as the processor, to the bit, and measure how fast."""
    from cageflow.bench import cuda as benchmark
    from cageflow.envs.options import GameOptions

    numbers = whole_numbers("--num-envs", num_envs, MOST_GAMES)
    with Telling("measuring") as say:
        result = benchmark.bench_cuda(
            GameOptions(red_agent, scenario=scenario, durations=durations or "file"),
            num_envs=numbers,
            compared=compared,
            repeats=repetitions,
            seed=seed,
            progress=say,
        )
    if as_json:
        print_json(result)
    else:
        terminal.say(benchmark.format_cuda(result))
    if result["different"]:
        raise typer.Exit(1)


@bench_app.command("collectors")
def bench_collectors(
    n_workers: Annotated[str, typer.Option(help="Numbers of worker processes, separated by commas.")] = "1,2",
    updates: Annotated[int, typer.Option(help="Updates of each measurement.", min=1)] = 5,
    red_agent: RedAgent = None,
    episodes_per_update: PerUpdate = None,
    preset: Preset = None,
    seed: Seed = None,
    max_staleness: Staleness = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
    collector: Annotated[str, typer.Option(help="Collectors, separated by commas, or all.")] = "all",
    steps_per_s: Annotated[
        float | None,
        typer.Option(help="Slow each game of the compiled simulator down to this; workers sleep.", min=1.0),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the collectors against each other: episodes per second of a training, and where the time goes."""
    from cageflow.bench import training as benchmark
    from cageflow.collect import COLLECTORS
    from cageflow.settings.commands import TrainConfig
    from cageflow.settings.reading import make_config_of

    config = make_config_of(
        TrainConfig,
        {
            "red_agent": red_agent,
            "episodes_per_update": episodes_per_update,
            "preset": preset,
            "seed": seed,
            "max_staleness": max_staleness,
            "simulator": simulator,
            "cyborg_path": None if cyborg_path is None else str(cyborg_path),
        },
    )
    numbers = whole_numbers("--n-workers", n_workers, MOST)
    if steps_per_s is not None and config.simulator != "compiled":
        raise UserError(f"--steps-per-s slows the compiled simulator down, and --simulator is {config.simulator}")
    names = COLLECTORS if collector == "all" else collector.split(",")
    with Telling() as say:
        result = benchmark.bench_collectors(config, numbers, updates, say, tuple(names), steps_per_s)
    if as_json:
        print_json(result)
    else:
        terminal.say(benchmark.format_collectors(result))


@bench_app.command("train")
def bench_train(
    total_episodes: Annotated[int, typer.Option(help="Episodes of each search.", min=1)] = 20_000,
    preset: Annotated[str, typer.Option(help="Presets, separated by commas.")] = "default,reference",
    red_agent: RedAgent = None,
    max_episodes_per_workflow: PerWorkflow = None,
    seed: Seed = None,
    num_threads: Threads = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Measure a whole search end to end with each preset: episodes per second, where the time goes, memory."""
    from cageflow.bench import training as benchmark

    settings = {
        "total_episodes": total_episodes,
        "red_agent": red_agent,
        "max_episodes_per_workflow": max_episodes_per_workflow,
        "seed": seed,
        "num_threads": num_threads,
        "device": device,
    }
    with Telling() as say:
        results = benchmark.bench_train(settings, preset.split(","), say)
    if as_json:
        print_json(results)
    else:
        terminal.say(benchmark.format_train(results))


@bench_app.command("peers")
def bench_peers(
    episodes_per_update: Annotated[int, typer.Option(help="Episodes of one update, played at once.", min=1)] = 100,
    updates: Annotated[int, typer.Option(help="Updates of each measurement.", min=1)] = 8,
    repetitions: Annotated[int, typer.Option(help="Measurements of each learner; medians count.", min=1)] = 5,
    num_threads: Annotated[int, typer.Option(help="Threads of torch.", min=1, max=MOST)] = 1,
    red_agent: RedAgent = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0, max=2**32 - 1)] = 0,
    as_json: Json = False,
) -> None:
    """Measure our PPO against Stable-Baselines3's, torchrl's and a loop like CleanRL's, on our own games."""
    from cageflow.bench import peers as benchmark
    from cageflow.bench.peer import PeerSetting
    from cageflow.envs.options import GameOptions

    game = GameOptions() if red_agent is None else GameOptions(red_agent)
    with Telling() as say:
        result = benchmark.bench_peers(
            PeerSetting(game=game, num_episodes=episodes_per_update, seed=seed), updates, repetitions, num_threads, say
        )
    if as_json:
        print_json(result)
    else:
        terminal.say(benchmark.format_peers(result))
