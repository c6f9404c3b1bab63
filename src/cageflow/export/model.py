"""A policy as an ONNX model: its actor, blue's masks if it was trained with them, and its card.

Built operator by operator, so that exporting needs no torch, and every value has a name that a person can look up.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from onnx import ModelProto, checker, helper

from cageflow import __version__
from cageflow.envs.agent import BlueSetting
from cageflow.export.card import keeps_memory
from cageflow.export.crews import add_crews, crews_size
from cageflow.export.graph import GraphBuilder
from cageflow.export.masks import add_knowledge, add_mask, add_order, knowledge_size
from cageflow.export.recall import add_recall, recall_size
from cageflow.learn.fit import check_fit
from cageflow.learn.inference import fold_order
from cageflow.learn.policy import Policy, PolicyCard
from cageflow.scenario import Network

FORMAT_VERSION = 1
OPSET, IR_VERSION = 17, 8
"""Old enough for runtimes of 2022 to read, and no operator of ours is newer."""
OPERATORS = {"tanh": "Tanh", "relu": "Relu"}
WORDS = (
    "A policy for blue, the defender of the network in the metadata, by the rules of CAGE Challenge 2; written by "
    "cageflow. Every input and output begins with the batch axis N. observation: blue's table, 0 or 1. last_action: "
    "blue's last action, -1 before the first step. memory: zeros before the first step, then next_memory of the step "
    "before. logits: of the actor, masks aside. mask: False where blue can know that the action is in vain, and, where "
    "workflow_mode is enforced, for fixes of a host while one of a type before its own looks compromised. probs: what "
    "to draw an action from. action: the likeliest one. The metadata say what was trained and how."
)


def build_model(policy: Policy, network: Network, *, green: bool = False) -> ModelProto:
    """The ONNX model of a policy.

    Inputs: `observation` (N, F) float32 and, for a policy of which `card.keeps_memory`, `last_action` (N,)
    int64 and `memory` (N, M) float32. Outputs: `logits` and `probs` (N, A) float32, `action` (N,) int64, with masks, be
    it those of an order alone, `mask` (N, A) bool, and with a memory `next_memory` (N, M) float32. `WORDS` says what
    each is.

    Args:
        policy: for one order, or for none.
        network: that it was made for, of the policy's F and A.
        green: whether the masks are those of games in which the green agent is awake.

    Raises:
        ValueError: the policy is universal.
        UserError: it was made for another network.
    """
    if policy.is_universal:
        raise ValueError("expected a policy for one order, got a universal one")
    card, num_actions = policy.card, policy.num_actions
    check_fit(policy, BlueSetting(network, card.rules, card.observation, green), "the policy")
    graph = GraphBuilder()
    value = graph.input("observation", np.float32, network.num_observations)
    allowed: list[str] = []  # masks, all of which have to allow an action
    memory_size = 0
    under_way = None
    if keeps_memory(card, network):
        known_end = crews_size(network) + knowledge_size(network, green=green)
        memory_size = known_end + (recall_size(network) if card.memory else 0)
        graph.input("last_action", np.int64)
        graph.input("memory", np.float32, memory_size)
        crews = graph.columns("memory", 0, crews_size(network)) if network.blue_takes_time else None
        acting = add_crews(graph, network, crews)
        known = add_knowledge(
            graph,
            network,
            acting,
            graph.columns("memory", crews_size(network), known_end),
            official=card.observation == "official",
            green=green,
        )
        memory = [*([acting.memory] if acting.memory is not None else []), known.memory]
        if card.memory:
            bits, recalled = add_recall(graph, network, acting, known, graph.columns("memory", known_end, memory_size))
            value = graph.node("Concat", value, bits, axis=1)
            memory.append(recalled)
        graph.node("Concat", *memory, axis=1, output="next_memory")
        graph.output("next_memory", np.float32, memory_size)
        under_way = acting.under_way
        if card.mask_actions:
            allowed.append(add_mask(graph, network, acting, known))
    if card.kept_order is not None:
        allowed.append(add_order(graph, network, card.kept_order, under_way))
    layers = fold_order(policy.layers, policy.order_encoding)
    for i, (weight, bias) in enumerate(layers):
        names = graph.constant(f"actor.{i}.weight", weight), graph.constant(f"actor.{i}.bias", bias)
        is_last = i == len(layers) - 1
        value = graph.node("Gemm", value, *names, transB=1, output="logits" if is_last else None)
        if not is_last:
            value = graph.node(OPERATORS[card.activation], value)
    graph.output("logits", np.float32, num_actions)
    if allowed:
        mask = graph.node("And" if len(allowed) > 1 else "Identity", *allowed, output="mask")
        graph.output(mask, np.bool_, num_actions)
        value = graph.node("Where", mask, value, graph.constant("never", np.float32(-np.inf)))
    graph.output(graph.node("Softmax", value, axis=1, output="probs"), np.float32, num_actions)
    graph.output(graph.node("ArgMax", value, axis=1, keepdims=0, output="action"), np.int64)
    model = helper.make_model(
        graph.build("policy", WORDS),
        producer_name="cageflow",
        producer_version=__version__,
        doc_string=WORDS,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, model_metadata(card, network, green=green, memory_size=memory_size))
    checker.check_model(model, full_check=True)
    return model


def model_metadata(card: PolicyCard, network: Network, *, green: bool, memory_size: int) -> dict[str, str]:
    """What the model says of itself: the entries of the card and the names of actions and hosts, plain or in JSON."""
    content: dict[str, Any] = {
        "cageflow_format_version": FORMAT_VERSION,
        "cageflow_version": __version__,
        **card.to_json(),
        "workflow": card.workflow or "none",
        "green": green,
        "memory_size": memory_size,
        "network": network.identity.to_json(),
        "durations": network.scenario.durations.model_dump(),
        "crews": network.scenario.crews,
        "action_steps": network.tables.action_steps.tolist(),
        "hosts": network.hosts,
        "actions": network.codec.names,
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in content.items()}
