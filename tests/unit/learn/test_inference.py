import numpy as np
import pytest
import torch

from cageflow.learn.generator import Generator
from cageflow.learn.inference import Actor, pack_weights
from cageflow.learn.networks import Networks
from cageflow.learn.torch_networks import ActorCritic


def make_networks(hidden_sizes=(64, 64), activation="tanh", order=True, num_observations=52, num_actions=145, seed=3):
    encoding = np.eye(5, dtype=np.float32)[[2, 0, 1, 4, 3]].reshape(-1) if order else None
    return Networks(
        num_observations,
        num_actions,
        hidden_sizes=hidden_sizes,
        activation=activation,
        orthogonal_init=False,
        order_encoding=encoding,
        generator=Generator(seed),
    )


def random_bits(num_rows, num_bits=52, seed=0):
    return (np.random.default_rng(seed).random((num_rows, num_bits)) < 0.3).astype(np.uint8)


def torch_log_probs(networks, bits):
    with torch.no_grad():
        return torch.log_softmax(ActorCritic(networks).logits(torch.from_numpy(bits).float()), dim=1).numpy()


@pytest.mark.parametrize("order", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden_sizes", [(64, 64), (7,), (30, 5, 18)])
def test_log_probs__are_those_of_the_torch_network(hidden_sizes, activation, order):
    networks = make_networks(hidden_sizes, activation, order)
    bits = random_bits(200)
    ours = Actor(networks.actor_weights()).log_probs(bits)
    assert ours == pytest.approx(torch_log_probs(networks, bits), abs=2e-6)


def test_log_probs__of_saturated_hidden_units_are_those_of_the_torch_network():
    networks = make_networks()
    networks.actor[0].weight[...] *= 200.0
    bits = random_bits(100)
    ours = Actor(networks.actor_weights()).log_probs(bits)
    assert ours == pytest.approx(torch_log_probs(networks, bits), abs=1e-5)


def test_act__gives_each_observation_the_same_bits_in_any_batch():
    weights = make_networks().actor_weights()
    bits = random_bits(500)
    uniforms = np.random.default_rng(1).random(500)

    def run(batch_size, order):
        actor = Actor(weights)
        actions, log_probs = np.empty(500, np.int64), np.empty(500, np.float32)
        for start in range(0, 500, batch_size):
            places = order[start : start + batch_size]
            a, lp = np.empty(len(places), np.int64), np.empty(len(places), np.float32)
            actor.act(bits[places], uniforms[places], a, lp, np.empty(len(places), np.int32))
            actions[places], log_probs[places] = a, lp
        return actions.tobytes() + log_probs.tobytes()

    whole = run(500, np.arange(500))
    assert run(1, np.arange(500)) == whole
    assert run(7, np.arange(500)[::-1].copy()) == whole
    assert run(64, np.random.default_rng(2).permutation(500)) == whole


def test_act__says_which_row_of_its_table_each_observation_is():
    actor = Actor(make_networks().actor_weights())
    pool = random_bits(3000, seed=4)
    seen = []
    for step in range(5):  # 15,000 observations: the table grows more than once
        bits = pool[np.random.default_rng(step).integers(0, 3000, 3000)]
        seen.append(bits)
        row_idx = np.empty(3000, np.int32)
        log_probs = np.empty(3000, np.float32)
        actions = np.empty(3000, np.int16)
        actor.act(bits, np.random.default_rng(step).random(3000), actions, log_probs, row_idx)
        assert (actor.observations[row_idx] == bits).all()
        assert log_probs.tolist() == actor.log_probs(bits)[np.arange(3000), actions].tolist()
    assert actor.num_observations == len(np.unique(np.concatenate(seen), axis=0))


def test_start__takes_new_weights_for_observations_seen_before():
    first, second = make_networks(seed=1), make_networks(seed=2)
    bits = random_bits(20)
    actor = Actor(first.actor_weights())
    actor.log_probs(bits)
    actor.start(second.actor_weights())
    assert actor.num_observations == 0
    assert actor.log_probs(bits) == pytest.approx(torch_log_probs(second, bits), abs=2e-6)


def test_act__with_masks_renormalises_and_never_takes_what_is_forbidden():
    networks = make_networks()
    actor = Actor(networks.actor_weights(), masked=True)
    rng = np.random.default_rng(0)
    bits = random_bits(2000)
    masks = (rng.random((2000, 145)) < 0.2).astype(np.uint8)
    masks[:, 3] = 1
    actions, log_probs = np.empty(2000, np.int64), np.empty(2000, np.float32)
    actor.act(bits, rng.random(2000), actions, log_probs, np.empty(2000, np.int32), masks)
    assert masks[np.arange(2000), actions].all()
    probs = np.exp(torch_log_probs(networks, bits).astype(np.float64)) * masks
    wanted = np.log(probs[np.arange(2000), actions] / probs.sum(axis=1))
    assert log_probs == pytest.approx(wanted, abs=1e-5)


def test_best__is_the_likeliest_allowed_action():
    networks = make_networks()
    bits = random_bits(50)
    wanted = torch_log_probs(networks, bits)
    assert (Actor(networks.actor_weights()).best(bits) == wanted.argmax(axis=1)).all()
    masks = np.ones((50, 145), np.uint8)
    masks[np.arange(50), wanted.argmax(axis=1)] = 0
    second = np.argsort(wanted, axis=1)[:, -2]
    assert (Actor(networks.actor_weights(), masked=True).best(bits, masks) == second).all()


def act(actor, observations, masks=None, num=2):
    actor.act(
        observations, np.zeros(num), np.empty(num, np.int64), np.empty(num, np.float32), np.empty(num, np.int32), masks
    )


def test_act__refuses_wrong_shapes_and_masks():
    weights = make_networks().actor_weights()
    bits = random_bits(2)
    with pytest.raises(ValueError, match=r"expected \(B, 52\) uint8, got \(2, 51\)"):
        act(Actor(weights), bits[:, :51])
    with pytest.raises(ValueError, match=r"expected \(2,\) uniforms, got \(3,\)"):
        act(Actor(weights), bits, num=3)
    with pytest.raises(ValueError, match="expected masks, got none"):
        act(Actor(weights, masked=True), bits)
    with pytest.raises(ValueError, match="expected no masks, got some"):
        act(Actor(weights), bits, np.ones((2, 145), np.uint8))
    with pytest.raises(ValueError, match=r"expected \(2, 145\) uint8 masks, got \(2, 144\)"):
        act(Actor(weights, masked=True), bits, np.ones((2, 144), np.uint8))
    with pytest.raises(ValueError, match="the mask of environment 1 allows no action of any probability"):
        act(Actor(weights, masked=True), bits, np.eye(2, 145, dtype=np.uint8) * np.array([[1], [0]], np.uint8))
    with pytest.raises(ValueError, match="expected weights from 52 bits to 145 actions, got 50 to 145"):
        Actor(weights).start(make_networks(num_observations=50).actor_weights())


def test_pack_weights__folds_the_order_into_the_first_bias():
    weight = np.array([[1.0, 2.0, 10.0, 20.0]], np.float32)  # two observation bits, two of the order
    weights = pack_weights([(weight, np.array([0.5], np.float32))], "tanh", np.array([0.0, 1.0], np.float32))
    assert (weights.num_observations, weights.num_actions) == (2, 1)
    assert weights.weights.reshape(3, -1)[:, 0].tolist() == [20.5, 1.0, 2.0]
