"""Policies that cageflow exported: ONNX files, which hold numbers and operators and can run nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.foreign.onnx_card import read_onnx
from cageflow.agents.foreign.wire import Shown
from cageflow.errors import UserError
from cageflow.foreign_code import call, describe

_GOLDEN, _MIX_1, _MIX_2 = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class OnnxPlayer:
    """Plays an exported policy, many games at once, with its masks and its memory as they stand in the file.

    Args:
        path: the `.onnx` file.
        request: of `kinds.load_player`.

    Raises:
        UserError: it is no policy of cageflow's, onnxruntime is not installed, or it was made for other games.
    """

    max_envs: int | None = 4096
    wants_masks = False

    def __init__(self, path: Path, request: Mapping[str, Any]) -> None:
        self._deterministic = bool(request["deterministic"])
        self._num_actions = len(request["actions"])
        content, _, actions = read_onnx(path)
        if actions != tuple(request["actions"]):
            raise UserError(
                f"was exported for a network with other actions, {len(actions)} where the game has "
                f"{self._num_actions}; give its network by --scenario."
            )
        self._session = _session(content)
        self._inputs = {one.name: one.shape for one in self._session.get_inputs()}

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin episodes; each draws from its own seed, whatever others are played beside it."""
        self._seeds = seeds.astype(np.uint64)
        if "memory" in self._inputs:
            self._memory = np.zeros((len(seeds), int(self._inputs["memory"][1])), np.float32)

    def act(self, shown: Shown) -> npt.NDArray[np.int64]:
        """(B,) drawn actions, or the likeliest ones."""
        feeds: dict[str, npt.NDArray[Any]] = {"observation": shown.observations.astype(np.float32)}
        if "memory" in self._inputs:
            feeds |= {"last_action": shown.last_actions, "memory": self._memory}
        wanted = ["action" if self._deterministic else "probs", *(["next_memory"] if "memory" in self._inputs else [])]
        chosen, *memory = call("onnxruntime", self._session.run, wanted, feeds)
        if memory:
            self._memory = memory[0]
        if self._deterministic:
            return np.asarray(chosen, np.int64)
        below = np.cumsum(chosen, axis=1, dtype=np.float64)
        drawn = (below <= (_uniforms(self._seeds, shown.step) * below[:, -1])[:, None]).sum(axis=1)
        actions: npt.NDArray[np.int64] = np.minimum(drawn, self._num_actions - 1)
        return actions


def _session(content: bytes) -> Any:
    """The model in onnxruntime.

    Raises:
        UserError: it cannot be read, has other inputs than exports have, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError("needs onnxruntime, which is not installed: pip install 'cageflow[onnx]'.") from error
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises kinds of its own
        raise UserError(f"cannot be read by onnxruntime: {describe(error)}.") from error
    inputs = {one.name for one in session.get_inputs()}
    if inputs not in ({"observation"}, {"observation", "last_action", "memory"}):
        raise UserError(f"has the inputs {', '.join(sorted(inputs))}, which no policy of cageflow's has.")
    return session


def _uniforms(seeds: npt.NDArray[np.uint64], step: int) -> npt.NDArray[np.float64]:
    """(B,) numbers from 0 to below 1, one for each episode in this step: SplitMix64 of its seed."""
    x = seeds + np.full(1, step + 1, np.uint64) * _GOLDEN  # arrays overflow without a word, numbers do not
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    uniforms: npt.NDArray[np.float64] = ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniforms
