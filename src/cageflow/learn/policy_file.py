"""Policies on disk: safetensors files, which hold numbers and text and can run nothing.

The tensors are `actor.0.weight`, `actor.0.bias`, ... and, with one workflow, `order_encoding`, all float32. The
header's entry `cageflow` is a JSON object with the format's version, the package's version and the `PolicyCard`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cageflow import __version__
from cageflow.envs.agent import BlueSetting
from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.learn.fit import check_fit
from cageflow.learn.inference import Layers
from cageflow.learn.policy import ANY_WORKFLOW, SIZES, Policy, PolicyCard
from cageflow.reading import parse_json
from cageflow.scenario.orders import OrderLike

FORMAT_VERSION = 1
_HEADER_KEY = "cageflow"
_ORDER_KEY = "order_encoding"
MAX_SUM = 1e37
"""Greatest sum that a layer may come to; float32 ends at 3.4e38, and the softmax takes differences."""


def save_policy(path: str | Path, policy: Policy) -> None:
    """Write a policy file, whole or not at all: a file that is there already stays as it is until the new one is safe.

    Raises:
        OSError: the file cannot be written.
    """
    write_whole(Path(path), dump_policy(policy))


def dump_policy(policy: Policy) -> bytes:
    """The content of a policy file."""
    tensors = {}
    for number, (weight, bias) in enumerate(policy.layers):
        tensors[f"actor.{number}.weight"] = np.ascontiguousarray(weight)
        tensors[f"actor.{number}.bias"] = np.ascontiguousarray(bias)
    if policy.order_encoding is not None:
        tensors[_ORDER_KEY] = np.ascontiguousarray(policy.order_encoding)
    header = {"format_version": FORMAT_VERSION, "cageflow_version": __version__, "policy": policy.card.to_json()}
    return save(tensors, {_HEADER_KEY: json.dumps(header)})


def load_policy(path: str | Path, *, setting: BlueSetting | None = None, order: OrderLike | None = None) -> Policy:
    """Read a policy file.

    Args:
        path: the file.
        setting: of the game that it is to play; None to know what it is.
        order: the workflow order that it is to follow, as `OrderSpace.parse` reads it, by name if the
            network is known from `setting`. Only a universal policy needs to be
            told, before it has the observations of the game; any other must have been trained for this order.

    Raises:
        UserError: the file is missing, truncated, not a policy of cageflow, of a newer format or inconsistent, or its
            policy was not made for the game (`fit.check_fit`) or the order.
    """
    path = Path(path)
    header, tensors = _read(path)
    try:
        card = PolicyCard.from_json(header["policy"])
        layers = _layers(tensors)
        policy = Policy(card, layers, tensors.get(_ORDER_KEY))
        check_bounded(layers, card.activation)
        _check_order(card, policy.order_encoding)
        _check_sizes(card, policy)
    except ValueError as error:
        raise UserError(f"policy file {path} is inconsistent: {error}") from error
    if order is not None:
        try:
            orders = policy.card.orders if setting is None else setting.network.orders
            policy = policy.for_order(orders.parse(order))
        except UserError as error:
            raise UserError(f"policy file {path} does not fit: {error}") from error
    elif policy.is_universal and setting is not None:
        raise UserError(f"policy file {path} is universal: say by --workflow which order it is to follow")
    if setting is not None:
        try:
            policy = policy.for_rules(setting.rules)
        except UserError as error:
            raise UserError(f"policy file {path} does not fit: {error}") from error
        check_fit(policy, setting, f"policy file {path}")
    return policy


def _check_order(card: PolicyCard, encoding: NDArray[np.float32] | None) -> None:
    """Refuse the code of another order than the card names.

    Raises:
        ValueError: it is so, or one of the two is missing.
    """
    if card.workflow in (None, ANY_WORKFLOW):
        if encoding is not None:
            raise ValueError("it has the code of a workflow without its name")
        return
    if encoding is None:
        raise ValueError("it names a workflow without its code")
    if not np.array_equal(encoding, card.orders.encode(card.orders.parse(card.workflow))):
        raise ValueError(f"the code of its order is not that of {card.workflow}, which its card names")


def _check_sizes(card: PolicyCard, policy: Policy) -> None:
    """Refuse layers of other sizes than the card names.

    Raises:
        ValueError: it is so.
    """
    if not card.sizes:
        return
    has = (policy.layers[0][0].shape[1], policy.num_actions)
    says = (sum(card.sizes.get(name, 0) for name in SIZES[:-1]), card.sizes.get(SIZES[-1], 0))
    if has != says:
        raise ValueError(f"it has {has[0]} inputs and {has[1]} actions, but its card says {says[0]} and {says[1]}")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """The JSON header and the tensors, checked as far as each can be alone."""
    if not path.is_file():
        raise UserError(f"there is no policy file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (SafetensorError, TypeError, OSError) as error:
        raise UserError(f"{path} is no policy file or is truncated: it cannot be read as safetensors") from error
    if _HEADER_KEY not in metadata:
        raise UserError(f"{path} is a safetensors file, but not a policy written by cageflow")
    try:
        header = parse_json(metadata[_HEADER_KEY])
        version = header["format_version"]
        foreign = not isinstance(version, int) or not isinstance(header["policy"], dict)
    except (ValueError, KeyError, TypeError):
        foreign = True
    if foreign:
        raise UserError(f"{path} is a safetensors file, but its header is not one that cageflow writes")
    if version != FORMAT_VERSION:
        raise UserError(f"policy file {path} has format version {version}; this cageflow reads {FORMAT_VERSION}")
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise UserError(f"policy file {path} is damaged: {name} is not made of finite float32 numbers")
    return header, tensors


def check_bounded(layers: Layers, activation: str) -> None:
    """Refuse weights with which some observation could give what is no number: inputs are 0 or 1.

    Raises:
        ValueError: they are too large.
    """
    largest: float | NDArray[np.float64] = 1.0
    for number, (weight, bias) in enumerate(layers):
        sums = np.abs(weight).astype(np.float64) @ np.broadcast_to(largest, weight.shape[1:]) + np.abs(bias)
        if sums.max(initial=0.0) > MAX_SUM:
            raise ValueError(f"the weights of layer {number} are so large that its sums overflow float32")
        largest = np.minimum(sums, 1.0) if activation == "tanh" else sums


def _layers(tensors: dict[str, NDArray[np.float32]]) -> Layers:
    """The actor's layers by number.

    Raises:
        ValueError: a tensor is missing, unknown or of the wrong rank.
    """
    num_layers = sum(name.endswith(".weight") for name in tensors)
    wanted = {f"actor.{number}.{part}": rank for number in range(num_layers) for part, rank in _RANKS.items()}
    ranks = {**wanted, _ORDER_KEY: 1}
    for name in sorted(wanted.keys() - tensors.keys()):
        raise ValueError(f"tensor {name} is missing")
    for name, tensor in tensors.items():
        if name not in ranks:
            raise ValueError(f"tensor {name} is unknown")
        if tensor.ndim != ranks[name]:
            raise ValueError(f"tensor {name} has {tensor.ndim} dimensions, expected {ranks[name]}")
    return [(tensors[f"actor.{number}.weight"], tensors[f"actor.{number}.bias"]) for number in range(num_layers)]


_RANKS = {"weight": 2, "bias": 1}
