"""How fast the simulator is on this machine: what `cageflow bench sim` measures and prints."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numba
import numpy as np

from cageflow.envs.cyborg import CyborgEnv
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.numerics.processor import processor_name
from cageflow.scenario.durations import FROM_FILE
from cageflow.sim.batch import reset_loop, step_loop
from cageflow.sim.handover import plain, row
from cageflow.sim.state import new_states
from cageflow.sim.threads import BatchThreads, available_cores

ENV_ID = "cageflow/Cage2-v0"
NUM_ENVS = 8192
SINGLE_EPISODES = 50
CYBORG_STEPS = 1000
DOCUMENTED_CYBORG_STEPS_PER_S = 700.0
_FIRST_CALL = "from cageflow.bench.simulator import first_call_s; print(first_call_s())"

Spread = dict[str, float]


def bench_sim(
    options: GameOptions | None = None,
    *,
    num_envs: int = NUM_ENVS,
    threads: Sequence[int] | None = None,
    repeats: int = 9,
    seed: int = 0,
    cyborg_path: Path | str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure the simulator, compilation apart.

    A repeat is one episode of a batch with random blue actions, drawn beforehand, every step's observations written as
    bits; all threads wait for each other after every step.

    Args:
        options: the game; None is CAGE-2 against RedMeanderAgent, the busier of the two red agents.
        num_envs: environments of a batch.
        threads: numbers of threads to measure; None: 1, 2 and, where there are more cores, all.
        repeats: of every figure; the median stands for it.
        seed: of the games and of blue's actions.
        cyborg_path: an installed CybORG to compare with, see `cageflow.envs.cyborg`; None leaves that out.
        progress: is told what is measured next.

    Returns:
        For JSON. `steps_per_s` by number of threads, `state_bytes`, `gym_step_us` (one step of the single Gymnasium
        environment), `compile_s` (the first step on CAGE-2's network with an empty cache), `cached_compile_s` (with a
        full one), `vector_steps_per_s` (of the Gymnasium vector environment, masks' memory and float32 observations
        included), `spread` (min, median and max of the repeats), `num_envs`, `repeats`, `red_agent`, `network`,
        `durations`, `machine`, and `cyborg`:
        None, or its `steps_per_s` and the `ratio` of one thread to it.

    Raises:
        UserError: a number is not possible, or CybORG cannot be used.
    """
    options = GameOptions(red_agent="RedMeanderAgent") if options is None else options
    threads = sorted({1, 2, available_cores()}) if threads is None else threads
    for name, number in [("num_envs", num_envs), ("repeats", repeats), *(("threads", number) for number in threads)]:
        if number < 1:
            raise UserError(f"{name} is {number}; expected a whole number from 1.")
    cyborg = None if cyborg_path is None else _cyborg_env(options, cyborg_path)
    _ = options.network  # refused here if its file is wrong

    progress("compilation, in processes of their own")
    compile_s, cached_compile_s = _compile_s()
    spread: dict[str, Any] = {"steps_per_s": {}}
    for num_threads in threads:
        progress(f"{num_envs} environments on {num_threads} thread{'s' if num_threads > 1 else ''}")
        spread["steps_per_s"][str(num_threads)] = _batch_steps_per_s(options, num_envs, num_threads, repeats, seed)
    progress("the Gymnasium environments")
    spread["vector_steps_per_s"] = _vector_steps_per_s(options, num_envs, repeats, seed)
    spread["gym_step_us"] = _gym_step_us(options, repeats, seed)
    result = {
        "steps_per_s": {key: one["median"] for key, one in spread["steps_per_s"].items()},
        "state_bytes": new_states(options.network, 1).dtype.itemsize,
        "gym_step_us": spread["gym_step_us"]["median"],
        "compile_s": compile_s,
        "cached_compile_s": cached_compile_s,
        "vector_steps_per_s": spread["vector_steps_per_s"]["median"],
        "spread": spread,
        "num_envs": num_envs,
        "repeats": repeats,
        "red_agent": options.red_agent,
        "network": options.network.identity.to_json(),
        "durations": options.durations,
        "machine": describe_machine(),
        "cyborg": None,
    }
    if cyborg is not None:
        progress("CybORG")
        result["cyborg"] = _ratio(result["steps_per_s"], _cyborg_steps_per_s(cyborg, seed))
    return result


def format_sim(result: dict[str, Any]) -> str:
    """The result of `bench_sim` in words."""
    machine = result["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores; Python {machine['python']}, Numba {machine['numba']}",
        f"{result['num_envs']} environments against {result['red_agent']}, random blue actions, observations written",
        f"{result['network']['name']}, {len(result['network']['hosts'])} hosts"
        + ("" if result["durations"] == FROM_FILE else f", durations {result['durations']}"),
        "",
    ]
    for threads, steps_per_s in result["steps_per_s"].items():
        spread = result["spread"]["steps_per_s"][threads]
        lines.append(
            f"{threads + (' thread' if threads == '1' else ' threads'):22}{steps_per_s / 1e6:8.2f} million steps/s"
            f"   ({spread['min'] / 1e6:.2f} to {spread['max'] / 1e6:.2f} in {result['repeats']} repeats)"
        )
    lines += [
        f"{'Gymnasium vector':22}{result['vector_steps_per_s'] / 1e6:8.2f} million steps/s",
        f"{'Gymnasium single':22}{result['gym_step_us']:8.2f} microseconds a step",
        f"{'one environment':22}{result['state_bytes']:8d} bytes",
        f"{'compilation':22}{result['compile_s']:8.2f} s, {result['cached_compile_s']:.2f} s from the cache",
    ]
    measured = result["cyborg"] is not None
    cyborg = result["cyborg"] or _ratio(result["steps_per_s"], DOCUMENTED_CYBORG_STEPS_PER_S)
    lines.append(
        f"{'CybORG':22}{cyborg['steps_per_s']:8.0f} steps/s{'' if measured else ' (documented, not measured here)'}; "
        f"one thread here does {cyborg['ratio']:,.0f} times as many"
    )
    return "\n".join(lines)


def describe_machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": processor_name(),
        "cores": available_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def first_call_s() -> float:
    """Seconds that the first step of a batch takes in this process, which compiles the kernels or loads them."""
    options = GameOptions()
    run = _batch_runner(options, 1, 1, np.zeros((1, 1), np.int16), 0)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _batch_runner(
    options: GameOptions, num_envs: int, num_threads: int, actions: np.ndarray, seed: int
) -> Callable[[], None]:
    """A function that plays one episode of a batch, the actions being (T, B)."""
    network = options.network
    nets, settings = row(network.tables), row(options.params())
    states, initial = plain(new_states(network, num_envs)), plain(new_states(network, 1))
    seeds = np.arange(seed, seed + num_envs, dtype=np.uint64)
    rewards = np.zeros(num_envs, np.float32)
    observations = np.zeros((num_envs, network.num_observations), np.uint8)
    threads = BatchThreads(num_envs, num_threads)

    def run() -> None:
        reset_loop(states, initial, seeds)
        for step_actions in actions:

            def step(part: slice, step_actions: np.ndarray = step_actions) -> None:
                step_loop(states[part], nets, settings, step_actions[part], observations[part], rewards[part])

            threads.run(step)

    return run


def _batch_steps_per_s(options: GameOptions, num_envs: int, num_threads: int, repeats: int, seed: int) -> Spread:
    actions = _random_actions(options, (options.max_steps, num_envs), seed)
    return _rates(_batch_runner(options, num_envs, num_threads, actions, seed), actions.size, repeats)


def _vector_steps_per_s(options: GameOptions, num_envs: int, repeats: int, seed: int) -> Spread:
    actions = _random_actions(options, (options.max_steps, num_envs), seed)
    envs = gym.make_vec(ENV_ID, num_envs, **options.as_kwargs())
    envs.reset(seed=seed)

    def run() -> None:
        for step_actions in actions:
            envs.step(step_actions)

    rates = _rates(run, actions.size, repeats)
    envs.close()
    return rates


def _gym_step_us(options: GameOptions, repeats: int, seed: int) -> Spread:
    actions = _random_actions(options, (options.max_steps,), seed).tolist()
    env = gym.make(ENV_ID, **options.as_kwargs())
    env.reset(seed=seed)

    def run() -> None:
        for _ in range(SINGLE_EPISODES):
            for action in actions:
                env.step(action)
            env.reset()

    rates = _rates(run, SINGLE_EPISODES * len(actions), repeats)
    return {"min": 1e6 / rates["max"], "median": 1e6 / rates["median"], "max": 1e6 / rates["min"]}


def _rates(run: Callable[[], None], num_steps: int, repeats: int) -> Spread:
    """Steps a second over repeats of a run, after one that does not count."""
    run()
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        rates.append(num_steps / (time.perf_counter() - start))
    return {"min": min(rates), "median": statistics.median(rates), "max": max(rates)}


def _compile_s() -> tuple[float, float]:
    """Seconds of the first step in a process with an empty cache, and in one with the cache that this left."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", _FIRST_CALL],
                    env=os.environ | {"NUMBA_CACHE_DIR": folder},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return seconds[0], seconds[1]


def _cyborg_env(options: GameOptions, cyborg_path: Path | str) -> CyborgEnv:
    if options.scenario is not None:
        raise UserError(f"CybORG plays its own network and not {options.scenario}; leave out one of the two.")
    if options.durations != FROM_FILE:
        raise UserError(f"durations is {options.durations!r}, but each action of CybORG takes one step: leave out one.")
    return CyborgEnv(cyborg_path, options.red_agent, options.observation, options.max_steps, options.green)


def _cyborg_steps_per_s(env: CyborgEnv, seed: int) -> float:
    env.reset(seed=seed)
    seconds = 0.0
    for action in _random_actions(GameOptions(), (CYBORG_STEPS,), seed).tolist():
        start = time.perf_counter()
        truncated = env.step(action)[3]
        seconds += time.perf_counter() - start
        if truncated:
            env.reset()
    return CYBORG_STEPS / seconds


def _ratio(steps_per_s: dict[str, float], cyborg_steps_per_s: float) -> dict[str, float]:
    """CybORG's speed, and how many times that one thread is (or the fewest that were measured)."""
    fewest = min(steps_per_s, key=int)
    return {"steps_per_s": cyborg_steps_per_s, "ratio": steps_per_s[fewest] / cyborg_steps_per_s}


def _random_actions(options: GameOptions, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, len(options.network.codec), shape, dtype=np.int16)
