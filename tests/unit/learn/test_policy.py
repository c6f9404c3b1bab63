import dataclasses

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.learn import policy as policy_module
from cageflow.learn.policy import ANY_WORKFLOW, Policy, PolicyCard
from cageflow.scenario.orders import format_order
from tests.helpers.orders import ALL_ORDERS, encode_order

CARD = PolicyCard(
    workflow=None,
    rules="v2.1",
    red_agent="B_lineAgent",
    observation="corrected",
    max_steps=100,
    preset="default",
    activation="tanh",
)


def make_policy(order=None, mask_actions=False, num_bits=6, num_actions=4, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [num_bits + (0 if order is None else len(order)), 8, num_actions]
    layers = [
        (rng.normal(size=(o, i)).astype(np.float32), rng.normal(size=o).astype(np.float32))
        for i, o in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    card = dataclasses.replace(CARD, workflow=None if order is None else "some", mask_actions=mask_actions)
    return Policy(card, layers, order)


def all_observations(num_bits=6):
    numbers = np.arange(2**num_bits)[:, None]
    return ((numbers >> np.arange(num_bits)) & 1).astype(np.uint8)


def by_hand(policy, observations):
    """Log-probabilities from the definition."""
    x = observations.astype(float)
    if policy.order_encoding is not None:
        x = np.hstack([x, np.tile(policy.order_encoding, (len(x), 1))])
    (w0, b0), (w1, b1) = policy.layers
    logits = np.tanh(x @ w0.T + b0) @ w1.T + b1
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("order", [None, np.array([0, 1, 1], np.float32)])
def test_log_probs__are_the_networks_with_the_order_in_it(order):
    policy = make_policy(order)
    observations = all_observations()
    assert (policy.num_observations, policy.num_actions) == (6, 4)
    assert policy.log_probs(observations) == pytest.approx(by_hand(policy, observations), abs=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_act__deterministic_takes_the_likeliest_action_for_observations_of_any_type(dtype):
    policy = make_policy()
    observations = all_observations()
    actions = policy.act(observations.astype(dtype), deterministic=True)
    assert actions.tolist() == by_hand(policy, observations).argmax(axis=1).tolist()


def test_act__draws_with_the_networks_probabilities():
    policy = make_policy()
    observation = all_observations()[[37]]
    actions = policy.act(np.repeat(observation, 60_000, axis=0), rng=np.random.default_rng(0))
    frequencies = np.bincount(actions, minlength=4) / 60_000
    assert frequencies == pytest.approx(np.exp(by_hand(policy, observation)[0]), abs=0.01)


def test_act__is_decided_by_the_generator():
    observations = all_observations()
    first = make_policy().act(observations, rng=np.random.default_rng(1))
    assert first.tolist() == make_policy().act(observations, rng=np.random.default_rng(1)).tolist()
    assert first.tolist() != make_policy().act(observations, rng=np.random.default_rng(2)).tolist()


def test_act__keeps_to_the_masks():
    policy = make_policy(mask_actions=True)
    observations = all_observations()
    masks = np.random.default_rng(0).integers(0, 2, (64, 4)).astype(np.uint8)
    masks[np.arange(64), np.arange(64) % 4] = 1
    for actions in (
        policy.act(observations, rng=np.random.default_rng(0), masks=masks),
        policy.act(observations, deterministic=True, masks=masks),
    ):
        assert masks[np.arange(64), actions].all()
    with pytest.raises(ValueError, match="expected masks, got none"):
        policy.act(observations, deterministic=True)


def test_act__forgets_old_observations_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(policy_module, "_MEMORY_ROWS", 40)
    policy = make_policy()
    observations = all_observations()
    for start in range(0, 64, 8):
        part = observations[start : start + 8]
        assert policy.log_probs(part) == pytest.approx(by_hand(policy, part), abs=1e-5)
    assert policy._actor.num_observations <= 40


def test_act__refuses_what_is_no_observation():
    policy = make_policy()
    with pytest.raises(ValueError, match=r"expected \(B, 6\) observations, got \(6,\)"):
        policy.act(np.zeros(6), deterministic=True)
    with pytest.raises(ValueError, match="expected observations of 0 and 1, got other values"):
        policy.act(np.full((1, 6), 0.5), deterministic=True)
    with pytest.raises(ValueError, match="expected observations of 0 and 1, got other values"):
        policy.act(np.full((1, 6), 2), deterministic=True)
    with pytest.raises(ValueError, match="expected rng"):
        policy.act(np.zeros((1, 6)))


def test_policy__refuses_layers_that_do_not_fit():
    layers = make_policy().layers
    with pytest.raises(ValueError, match="expected layer 1 with 8 inputs"):
        Policy(CARD, [layers[0], (layers[1][0][:, 1:], layers[1][1])])
    with pytest.raises(ValueError, match="expected layer 0 with 6 inputs and as many biases"):
        Policy(CARD, [(layers[0][0], layers[0][1][1:]), layers[1]])
    with pytest.raises(ValueError, match="expected at least one layer"):
        Policy(CARD, [])
    with pytest.raises(ValueError, match="expected more than the order's 6 inputs, got 6"):
        Policy(CARD, layers, np.zeros(6, np.float32))


def universal_policy():
    """A policy of 6 observation bits and the 25 of an order."""
    policy = make_policy(num_bits=31)
    return Policy(dataclasses.replace(policy.card, workflow=ANY_WORKFLOW), policy.layers)


@pytest.mark.parametrize("order", [ALL_ORDERS[0], ALL_ORDERS[77]])
def test_for_order__is_the_universal_policy_told_that_order(order):
    universal = universal_policy()
    assert universal.is_universal
    policy = universal.for_order(order)
    observations = all_observations()
    told = np.hstack([observations, np.tile(encode_order(order), (64, 1))])
    assert policy.num_observations == 6
    assert policy.log_probs(observations) == pytest.approx(universal.log_probs(told), abs=1e-5)
    assert policy.log_probs(observations) == pytest.approx(by_hand(policy, observations), abs=1e-5)
    assert policy.card == dataclasses.replace(universal.card, workflow=format_order(order))
    assert not policy.is_universal


def test_for_order__of_one_orders_policy_is_itself_or_nothing():
    policy = universal_policy().for_order(ALL_ORDERS[3])
    assert policy.for_order(ALL_ORDERS[3]) is policy
    with pytest.raises(UserError, match=f"it follows {policy.card.workflow}, but .* is wanted here"):
        policy.for_order(ALL_ORDERS[4])
    with pytest.raises(UserError, match="it follows no workflow, but"):
        make_policy().for_order(ALL_ORDERS[4])


def test_card__survives_json_and_refuses_what_it_does_not_know():
    card = dataclasses.replace(CARD, workflow="a,b", alignment={"lambda": 30.0}, training_episodes=400)
    data = card.to_json()
    assert PolicyCard.from_json(data) == card
    with pytest.raises(UserError, match="'rules' is missing"):
        PolicyCard.from_json({name: value for name, value in data.items() if name != "rules"})
    with pytest.raises(UserError, match="'colour' is unknown"):
        PolicyCard.from_json({**data, "colour": "red"})
    with pytest.raises(UserError, match="'activation' is 'gelu', expected one of tanh, relu"):
        PolicyCard.from_json({**data, "activation": "gelu"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workflow", 3),
        ("rules", None),
        ("max_steps", "100"),
        ("max_steps", True),
        ("mask_actions", 1),
        ("alignment", []),
        ("training_episodes", 1.5),
    ],
)
def test_card__refuses_entries_of_the_wrong_type(name, value):
    with pytest.raises(UserError, match=f"'{name}' is {value!r}, expected".replace("[]", r"\[\]")):
        PolicyCard.from_json({**CARD.to_json(), name: value})
