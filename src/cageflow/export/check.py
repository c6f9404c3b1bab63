"""Whether an exported model does what its policy does: both are played side by side."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime

from cageflow.envs.game import GameBatch
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.learn.policy import Policy

EPISODES = 32
RANDOM_OBSERVATIONS = 4096
TOLERANCE = 1e-5
"""Largest difference of log-probabilities, in units of the largest of them: float32 sums in another order."""


class Agreement(NamedTuple):
    """How a model and its policy compare.

    Attributes:
        num_observations: that both were asked about, of episodes and random ones.
        num_masks: of these, how many masks were compared.
        difference: the largest one of their log-probabilities, masks aside.
    """

    num_observations: int
    num_masks: int
    difference: float


class ModelRunner:
    """Asks an exported model in onnxruntime, B games at a time, and keeps their memories.

    Args:
        model: the file's content.
        num_envs: B.
    """

    def __init__(self, model: bytes, num_envs: int) -> None:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        self._memory = np.zeros((num_envs, shapes["memory"][1]), np.float32) if "memory" in shapes else None
        self._last_actions = np.full(num_envs, -1, np.int64)

    def __call__(self, observations: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """All outputs by name, for (B, F) observations."""
        feeds: dict[str, npt.NDArray[Any]] = {"observation": observations.astype(np.float32)}
        if self._memory is not None:
            feeds |= {"last_action": self._last_actions, "memory": self._memory}
        outputs = dict(zip(self._outputs, self._session.run(None, feeds), strict=True))
        if self._memory is not None:
            self._memory = outputs["next_memory"]
        return outputs

    def take(self, actions: npt.NDArray[np.int64]) -> None:
        """Say what blue did in this step: (B,) actions."""
        self._last_actions = actions


def check_agreement(model: bytes, policy: Policy, options: GameOptions, episodes: int | None = None) -> Agreement:
    """Play episodes with actions that the model draws, and ask the policy and the simulator the same.

    Args:
        model: the file's content.
        policy: that it was made of.
        options: a game that the policy can play.
        episodes: to play; None is EPISODES.

    Raises:
        RuntimeError: they differ by more than rounding.
    """
    episodes = EPISODES if episodes is None else episodes
    rng = np.random.default_rng(0)
    num_bits = options.network.num_observations
    random_bits = rng.integers(2, size=(RANDOM_OBSERVATIONS, num_bits)).astype(np.uint8)
    random_actions = rng.integers(policy.num_actions, size=RANDOM_OBSERVATIONS)
    memory, runner = BlueMemory(options, RANDOM_OBSERVATIONS), ModelRunner(model, RANDOM_OBSERVATIONS)
    memory.update(random_actions, random_bits)
    runner.take(random_actions)
    outputs = runner(random_bits)
    difference = _difference(outputs, policy, random_bits, memory)
    num_masks = _check_masks(outputs, policy, memory, "on random tables")
    games = GameBatch(options, episodes)
    seeds = EpisodeStream(0, "export").seeds(0, episodes)
    games.begin(seeds)
    runner = ModelRunner(model, episodes)
    observations = np.zeros((episodes, num_bits), np.uint8)
    rewards = np.empty(episodes, np.float64)
    for step in range(options.max_steps):
        outputs = runner(observations)
        difference = max(difference, _difference(outputs, policy, observations, games.memory))
        num_masks += _check_masks(outputs, policy, games.memory, f"in step {step + 1}")
        if not np.array_equal(outputs["action"], _best(outputs["logits"], outputs.get("mask"))):
            raise RuntimeError(f"the exported action is not the likeliest in step {step + 1}")
        actions = _draw(outputs["probs"], rng)
        runner.take(actions)
        games.play(actions, observations, rewards)
    games.close()
    return Agreement(RANDOM_OBSERVATIONS + episodes * options.max_steps, num_masks, difference)


def _difference(
    outputs: dict[str, npt.NDArray[Any]],
    policy: Policy,
    observations: npt.NDArray[np.uint8],
    memory: BlueMemory,
) -> float:
    """Largest difference of log-probabilities, masks aside.

    Raises:
        RuntimeError: it is too large.
    """
    logits = outputs["logits"].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    if policy.card.memory:
        observations = np.concatenate([observations, memory.recalled()], axis=1)
    wanted = policy.log_probs(observations)
    difference = float(np.abs(log_probs - wanted).max())
    if not math.isfinite(difference) or difference > TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise RuntimeError(f"the exported logits differ from the policy's by {difference:g}")
    return difference


def _check_masks(outputs: dict[str, npt.NDArray[Any]], policy: Policy, memory: BlueMemory, where: str) -> int:
    """How many masks were compared, those of a policy that has none aside.

    Raises:
        RuntimeError: they are not the simulator's.
    """
    card = policy.card
    if not card.is_masked:
        return 0
    wanted = memory.masks() if card.mask_actions else np.ones(outputs["logits"].shape, np.bool_)
    if card.kept_order is not None:
        memory.keep_order(card.kept_order, wanted)
    if not np.array_equal(outputs["mask"], wanted):
        raise RuntimeError(f"the exported masks differ from the simulator's {where}")
    return len(wanted)


def _best(logits: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.int64]:
    best: npt.NDArray[np.int64] = (logits if masks is None else np.where(masks, logits, -np.inf)).argmax(axis=1)
    return best


def _draw(probs: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """(B,) actions from (B, A) probabilities."""
    sums = probs.cumsum(axis=1, dtype=np.float64)
    actions: npt.NDArray[np.int64] = (sums <= rng.random((len(probs), 1)) * sums[:, -1:]).sum(axis=1)
    return actions
