"""An exported model gives the policy's logits, and says of itself what it is."""

import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from cageflow.export.model import OPERATORS, build_model
from cageflow.learn.config import ACTIVATIONS
from cageflow.learn.policy import ANY_WORKFLOW, Policy
from cageflow.scenario import default_network
from cageflow.scenario.durations import CAGE4
from cageflow.scenario.orders import format_order
from tests.helpers.agents import policy
from tests.helpers.orders import ALL_ORDERS, parse_order

NETWORK = default_network()
ORDER = "enterprise,op_server,user,op_host,defender"


def made(hidden=(8,), activation="tanh", num_inputs=52, mask_actions=False, workflow=None, seed=0):
    """A policy with random weights, its biases too."""
    rng = np.random.default_rng(seed)
    sizes = [num_inputs, *hidden, 145]
    layers = [
        (
            rng.normal(scale=1 / np.sqrt(inputs), size=(outputs, inputs)).astype(np.float32),
            rng.normal(size=outputs).astype(np.float32),
        )
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    card = replace(policy().card, activation=activation, mask_actions=mask_actions, workflow=workflow)
    return Policy(card, layers)


def run(model, **inputs):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def random_bits(number, seed=1):
    return np.random.default_rng(seed).integers(2, size=(number, 52)).astype(np.float32)


def expected_logits(source, bits):
    """The actor in float64, from the weights themselves."""
    values = bits.astype(np.float64)
    if source.order_encoding is not None:
        values = np.concatenate([values, np.tile(source.order_encoding, (len(bits), 1))], axis=1)
    function = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}[source.card.activation]
    for i, (weight, bias) in enumerate(source.layers):
        values = values @ weight.T.astype(np.float64) + bias
        values = values if i == len(source.layers) - 1 else function(values)
    return values


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (1,), (64, 64), (33, 7, 128)])
def test_logits__are_the_policy_s(activation, hidden):
    source = made(hidden, activation)
    bits = random_bits(500)
    outputs = run(build_model(source, NETWORK), observation=bits)
    logits = outputs["logits"]
    np.testing.assert_allclose(logits, expected_logits(source, bits), atol=1e-5)
    log_probs = np.log(outputs["probs"].astype(np.float64))
    np.testing.assert_allclose(log_probs, source.log_probs(bits), atol=2e-5)
    np.testing.assert_array_equal(outputs["action"], source.act(bits, deterministic=True))
    assert set(outputs) == {"logits", "probs", "action"}


@pytest.mark.parametrize("order", [ALL_ORDERS[0], parse_order(ORDER), ALL_ORDERS[119]])
def test_universal_policy__follows_the_order_that_was_folded_in(order):
    universal = made((64, 64), num_inputs=52 + 25, workflow=ANY_WORKFLOW)
    bits = random_bits(300)
    told = universal.for_order(order)
    model = build_model(told, NETWORK)
    outputs = run(model, observation=bits)
    np.testing.assert_allclose(outputs["logits"], expected_logits(told, bits), atol=1e-5)
    assert {one.key: one.value for one in model.metadata_props}["workflow"] == format_order(order)
    other = universal.for_order(ALL_ORDERS[60])
    assert np.abs(outputs["logits"] - expected_logits(other, bits)).max() > 0.1


def test_universal_policy_without_an_order__is_refused():
    with pytest.raises(ValueError, match="expected a policy for one order, got a universal one"):
        build_model(made(num_inputs=77, workflow=ANY_WORKFLOW), NETWORK)


def test_masked_actions__have_no_chance_and_the_likeliest_is_among_the_others():
    source = policy(workflow=ORDER)
    bits = random_bits(200)
    model = build_model(source, NETWORK)
    memory = np.zeros((200, 13 * 9), np.float32)
    outputs = run(model, observation=bits, last_action=np.full(200, -1), memory=memory)
    masks = outputs["mask"]
    assert masks.dtype == np.bool_ and 0 < masks.sum() < masks.size
    assert not outputs["probs"][~masks].any()
    np.testing.assert_allclose(outputs["probs"].sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(outputs["action"], source.act(bits, deterministic=True, masks=masks.astype(np.uint8)))
    np.testing.assert_allclose(outputs["logits"], expected_logits(source, bits), atol=1e-5)


def test_every_activation_has_its_operator():
    assert set(OPERATORS) == set(ACTIVATIONS)


def test_model__says_what_it_is():
    source = policy(workflow=ORDER, rules="challenge", training_episodes=123, alignment={"lambda": 5.0})
    model = build_model(source, NETWORK, green=True)
    said = {one.key: one.value for one in model.metadata_props}
    assert said["workflow"] == ORDER
    assert (said["rules"], said["red_agent"], said["training_episodes"]) == ("challenge", "B_lineAgent", "123")
    assert (said["mask_actions"], said["green"], said["memory_size"]) == ("true", "true", "130")
    assert json.loads(said["alignment"]) == {"lambda": 5.0}
    assert json.loads(said["actions"]) == list(NETWORK.codec.names)
    assert json.loads(said["hosts"]) == list(NETWORK.hosts)
    assert (json.loads(said["durations"])["restore"], said["crews"]) == (1, "1")
    slow = NETWORK.with_durations(CAGE4)
    said = {one.key: one.value for one in build_model(policy(network=slow), slow).metadata_props}
    assert (json.loads(said["durations"])["restore"], said["crews"], said["memory_size"]) == (5, "1", "119")
    assert json.loads(said["action_steps"])[NETWORK.codec.encode("Restore User1")] == 5
    plain = build_model(policy(mask_actions=False), NETWORK)
    said = {one.key: one.value for one in plain.metadata_props}
    assert (said["workflow"], said["mask_actions"], said["memory_size"]) == ("none", "false", "0")
    assert [one.name for one in plain.graph.input] == ["observation"]


def test_batch__may_have_any_size_and_a_row_is_the_same_in_each():
    model = build_model(made((16,)), NETWORK)
    shapes = [
        [one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim] for value in model.graph.input
    ]
    assert shapes == [["N", 52]]
    bits = random_bits(5)
    whole = run(model, observation=bits)["logits"]
    np.testing.assert_allclose(run(model, observation=bits[3:4])["logits"], whole[3:4], atol=1e-5)
    assert all(node.domain == "" for node in model.graph.node)
    onnx.checker.check_model(model, full_check=True)
