"""Policies and agents for the tests of evaluations."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.agent import BlueSetting, BlueView
from cageflow.learn.inference import Layers
from cageflow.learn.policy import Policy, PolicyCard, made_for, red_made_for
from cageflow.learn.policy_file import save_policy
from cageflow.scenario import Network, default_network
from cageflow.sim.recall import num_recalled
from tests.helpers.orders import encode_order, parse_order

NETWORK = default_network()
SETTING = BlueSetting(NETWORK)


def policy(seed: int = 0, *, network: Network = NETWORK, **card: Any) -> Policy:
    """A small policy with random weights, made for a network."""
    rng = np.random.default_rng(seed)
    settings: dict[str, Any] = {
        "workflow": None,
        "rules": "v2.1",
        "red_agent": "B_lineAgent",
        "observation": "corrected",
        "max_steps": 100,
        "preset": "default",
        "activation": "tanh",
        "mask_actions": True,
    }
    ordered = card.get("workflow") is not None
    made = PolicyCard(**{**settings, **made_for(network, memory=card.get("memory", False), ordered=ordered), **card})
    code = None if made.workflow is None else encode_order(parse_order(made.workflow))
    num_inputs = network.num_observations + (num_recalled(network) if made.memory else 0)
    sizes = [(8, num_inputs + (0 if code is None else len(code))), (len(network.codec), 8)]
    layers = [(rng.normal(size=size).astype(np.float32), rng.normal(size=size[0]).astype(np.float32)) for size in sizes]
    return Policy(made, layers, code)


def policy_file(path: Path, seed: int = 0, *, network: Network = NETWORK, **card: Any) -> Path:
    """A policy file with random weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_policy(path, policy(seed, network=network, **card))
    return path


def red_layers(seed: int = 0) -> Layers:
    """Of a small policy of red's with random weights."""
    rng = np.random.default_rng(seed)
    sizes = [(8, NETWORK.num_red_observations), (len(NETWORK.red_codec), 8)]
    return [(rng.normal(size=size).astype(np.float32), rng.normal(size=size[0]).astype(np.float32)) for size in sizes]


def red_policy_file(path: Path) -> Path:
    """The file of a policy of red's with random weights."""
    made = red_made_for(NETWORK)
    card = replace(policy().card, mask_actions=True, side="red", blue_agent="react", red_agent="learned", **made)
    save_policy(path, Policy(card, red_layers()))
    return path


class Scripted:
    """Plays one action and keeps what it was shown."""

    def __init__(self, action: int = 0, max_envs: int | None = None) -> None:
        self.action = action
        self.max_envs = max_envs
        self.seeds: list[npt.NDArray[np.uint64]] = []
        self.views: list[BlueView] = []
        self.seen: list[npt.NDArray[np.uint8]] = []

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        self.seeds.append(seeds)

    def act(self, view: BlueView) -> npt.NDArray[np.int64]:
        self.views.append(view)
        self.seen.append(view.observations.copy())
        return np.full(len(view.observations), self.action)
