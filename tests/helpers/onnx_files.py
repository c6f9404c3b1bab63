"""Exported models for tests: against what the simulator knows, and with faults planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, numpy_helper

from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.export.check import ModelRunner
from cageflow.export.model import build_model
from tests.helpers.agents import policy


def spoiled(model: ModelProto, name: str, change: Callable[[npt.NDArray[Any]], Any]) -> ModelProto:
    """The model with one of its constants changed; the change may work in place."""
    constant = next(one for one in model.graph.initializer if one.name == name)
    array = numpy_helper.to_array(constant).copy()
    changed = change(array)
    constant.CopyFrom(numpy_helper.from_array(array if changed is None else changed, name))
    onnx.checker.check_model(model)
    return model


def shifted(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same values, each in the place of the one before: whoever looks one up finds its neighbour's."""
    return np.roll(array, 1, axis=0)


def first_difference(
    options: GameOptions,
    change: Callable[[ModelProto], object] = lambda model: None,
    *,
    num_games: int = 64,
    num_steps: int = 40,
    actions: npt.NDArray[np.int64] | None = None,
) -> tuple[int, str] | None:
    """Feed a model with a memory and the simulator's rules the same random tables and actions, and compare.

    Args:
        options: the game.
        change: plants a fault in the model.
        num_games: episodes side by side.
        num_steps: of each.
        actions: (T, B) what blue does; None: at random, half of the time on two hosts.

    Returns:
        The first step, from 0, that differs, and whether in "mask" or "logits"; None if nothing does.
    """
    network = options.network
    source = policy(network=network, memory=True, observation=options.observation)
    model = build_model(source, network, green=options.green)
    change(model)
    runner, memory = ModelRunner(model.SerializeToString(), num_games), BlueMemory(options, num_games)
    rng = np.random.default_rng(1)
    few = np.flatnonzero(np.isin(network.codec.host, rng.choice(len(network.hosts), 2, replace=False)))
    tables = np.zeros((num_games, network.num_observations), np.uint8)
    for step in range(num_steps):
        outputs = runner(tables)
        if not np.array_equal(outputs["mask"], memory.masks()):
            return step, "mask"
        wanted = source.log_probs(np.concatenate([tables, memory.recalled()], axis=1))
        logits = outputs["logits"] - outputs["logits"].max(axis=1, keepdims=True)
        found = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        if np.abs(found - wanted).max() > 1e-3:
            return step, "logits"
        anywhere = rng.integers(len(network.codec), size=num_games)
        chosen = np.where(rng.random(num_games) < 0.5, rng.choice(few, num_games), anywhere)
        chosen = chosen if actions is None else actions[step]
        tables = (rng.random(tables.shape) < 0.1).astype(np.uint8)
        runner.take(chosen)
        memory.update(chosen, tables)
    return None
