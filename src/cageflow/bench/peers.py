"""Measuring our PPO against those of others: the same games, network, batch and gradient steps, in one run."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from typing import Any, NamedTuple

import torch

from cageflow.bench.peer import Peer, PeerSetting
from cageflow.bench.simulator import describe_machine
from cageflow.errors import UserError
from cageflow.numerics.processor import compiled_for

OURS = "cageflow"
WARM_UP_UPDATES = 1  # compiles, and makes room


class PeerKind(NamedTuple):
    """Where a learner comes from.

    Attributes:
        module: of cageflow, that has it.
        name: of its class there, made of a `PeerSetting`.
        package: what must be installed, as it is imported; None where nothing must.
        extra: of cageflow, that installs it.
    """

    module: str
    name: str
    package: str | None = None
    extra: str = ""


PEERS = {
    OURS: PeerKind("cageflow.bench.peer_cageflow", "CageflowPeer"),
    "sb3": PeerKind("cageflow.bench.peer_sb3", "SB3Peer", "stable_baselines3", "sb3"),
    "cleanrl_style": PeerKind("cageflow.bench.peer_cleanrl", "CleanRLPeer"),
    "torchrl": PeerKind("cageflow.bench.peer_torchrl", "TorchRLPeer", "torchrl", "sac"),
}
"""The learners by name, ours first; a new one is a class and a line."""


class Measured(NamedTuple):
    """One measurement: seconds of wall clock and of CPU."""

    wall_s: float
    cpu_s: float


def bench_peers(
    setting: PeerSetting, updates: int, repeats: int, num_threads: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Train with each learner, turn by turn in this process, so that what else the machine does meets all alike.

    Args:
        setting: of all.
        updates: of each measurement.
        repeats: measurements of each; medians count.
        num_threads: of torch.
        progress: is told what is being measured, and what is left out.

    Returns:
        "episodes_per_s" and "episodes_per_cpu_s" by learner; "ratios", how many times as many ours does in a second of
        wall clock, median over the turns, and "cpu_ratios" likewise; "left_out", why, by learner; "env_steps" and
        "gradient_steps" of a measurement, which are the same for all; the setting and the machine.

    Raises:
        UserError: the steps of an update cannot be divided into equal minibatches.
    """
    if setting.num_steps % setting.config.num_minibatches:
        raise UserError(
            f"an update has {setting.num_steps} steps, which {setting.config.num_minibatches} minibatches cannot "
            f"share equally: give a number of episodes that is a multiple of {setting.config.num_minibatches}"
        )
    left_out: dict[str, str] = {}
    measured: dict[str, list[Measured]] = {}
    with ExitStack() as closing:
        closing.enter_context(_threads(num_threads))
        peers: dict[str, Peer] = {}
        for name, kind in PEERS.items():
            if missing := _missing(kind):
                progress(f"{name} is left out: {missing}")
                left_out[name] = missing
                continue
            progress(f"{name}: an update to warm up")
            peers[name] = getattr(importlib.import_module(kind.module), kind.name)(setting)
            closing.callback(peers[name].close)
            peers[name].learn(WARM_UP_UPDATES)
            measured[name] = []
        for turn in range(repeats):
            for name, peer in peers.items():
                progress(f"{name}, turn {turn + 1} of {repeats}")
                measured[name].append(_time(peer, setting, updates))
    episodes = updates * setting.num_episodes
    return {
        "episodes_per_s": {name: _median(episodes / one.wall_s for one in turns) for name, turns in measured.items()},
        "ratios": _ratios([one.wall_s for one in measured[OURS]], measured, "wall_s"),
        "episodes_per_cpu_s": {
            name: _median(episodes / one.cpu_s for one in turns) for name, turns in measured.items()
        },
        "cpu_ratios": _ratios([one.cpu_s for one in measured[OURS]], measured, "cpu_s"),
        "left_out": left_out,
        "env_steps": updates * setting.num_steps,
        "gradient_steps": updates * setting.config.update_epochs * setting.config.num_minibatches,
        "repetitions": repeats,
        "setting": {
            "episodes_per_update": setting.num_episodes,
            "max_steps": setting.game.max_steps,
            "hidden_sizes": list(setting.config.hidden_sizes),
            "activation": setting.config.activation,
            "update_epochs": setting.config.update_epochs,
            "num_minibatches": setting.config.num_minibatches,
            "num_threads": num_threads,
        },
        "versions": {name: version(PEERS[name].package or "torch") for name in measured if name != OURS},
        "machine": {**describe_machine(), **compiled_for()},
    }


def format_peers(result: dict[str, Any]) -> str:
    """The result of `bench_peers` as a table."""
    setting = result["setting"]
    hidden = " x ".join(str(width) for width in setting["hidden_sizes"])
    lines = [
        f"{setting['episodes_per_update']} episodes of {setting['max_steps']} steps an update, "
        f"{setting['update_epochs']} epochs of {setting['num_minibatches']} minibatches, networks of {hidden} "
        f"{setting['activation']}, no masks, {setting['num_threads']} "
        f"{'thread' if setting['num_threads'] == 1 else 'threads'}; medians of {result['repetitions']}",
        f"{'learner':<14} {'episodes/s':>10} {'ours':>8}   {'episodes/CPU s':>14} {'ours':>8}",
    ]
    for name, per_s in result["episodes_per_s"].items():
        wall, cpu = (f"{result[key][name]:.1f} x" if name != OURS else "" for key in ("ratios", "cpu_ratios"))
        lines.append(f"{name:<14} {per_s:>10.1f} {wall:>8}   {result['episodes_per_cpu_s'][name]:>14.1f} {cpu:>8}")
    lines += [f"{name:<14} left out: {why}" for name, why in result["left_out"].items()]
    return "\n".join(lines)


def _time(peer: Peer, setting: PeerSetting, updates: int) -> Measured:
    """One measurement.

    Raises:
        RuntimeError: the learner did not do all the steps that it is measured by.
    """
    before = (peer.env_steps, peer.gradient_steps)
    wall, cpu = time.perf_counter(), time.process_time()
    peer.learn(updates)
    measured = Measured(time.perf_counter() - wall, time.process_time() - cpu)
    done = (peer.env_steps - before[0], peer.gradient_steps - before[1])
    config = setting.config
    wanted = (updates * setting.num_steps, updates * config.update_epochs * config.num_minibatches)
    if done != wanted:
        raise RuntimeError(f"{type(peer).__name__} did {done} steps of games and of the optimiser, expected {wanted}")
    return measured


def _missing(kind: PeerKind) -> str | None:
    """Why a learner cannot be had, with the cure; None if it can."""
    if kind.package is None:
        return None
    try:
        importlib.import_module(kind.package)
    except ImportError:
        return f"{kind.package} is not installed: pip install 'cageflow[{kind.extra}]'"
    return None


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


def _ratios(ours: list[float], measured: dict[str, list[Measured]], clock: str) -> dict[str, float]:
    """How many times as long the others take, median over the turns."""
    return {
        name: statistics.median(getattr(one, clock) / own for one, own in zip(turns, ours, strict=True))
        for name, turns in measured.items()
        if name != OURS
    }


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
