import numpy as np
import pytest
import torch
from torch.nn import functional

from cageflow.learn.generator import Generator
from cageflow.learn.networks import Networks
from cageflow.learn.torch_networks import ActorCritic

ORDER = np.eye(5, dtype=np.float32)[[4, 3, 0, 1, 2]].reshape(-1)


def make(orthogonal_init=False, order=ORDER, seed=0):
    return Networks(
        52,
        145,
        hidden_sizes=(64, 64),
        activation="tanh",
        orthogonal_init=orthogonal_init,
        order_encoding=order,
        generator=Generator(seed),
    )


def concatenated(layers, observations):
    """The same network on observation and order side by side."""
    x = torch.cat([observations, torch.from_numpy(ORDER).expand(len(observations), -1)], dim=1)
    for layer in layers[:-1]:
        x = torch.tanh(functional.linear(x, layer.weight, layer.bias))
    return functional.linear(x, layers[-1].weight, layers[-1].bias)


@pytest.mark.parametrize("part", ["actor", "critic"])
def test_folded_order__equals_the_concatenated_input_in_output_and_gradients(part):
    networks = ActorCritic(make())
    observations = torch.bernoulli(torch.full((30, 52), 0.3), generator=torch.Generator().manual_seed(1))
    weights = torch.randn((30, 145 if part == "actor" else 1), generator=torch.Generator().manual_seed(2))
    layers = getattr(networks, part)

    wanted = concatenated(layers, observations)
    (wanted * weights).sum().backward()
    wanted_gradients = [p.grad.clone() for p in layers.parameters()]
    networks.zero_grad()
    given = networks.logits(observations) if part == "actor" else networks.values(observations)[:, None]
    (given * weights).sum().backward()

    assert wanted_gradients[0].shape == (64, 77)
    assert torch.allclose(given, wanted, atol=1e-6)
    for parameter, gradient in zip(layers.parameters(), wanted_gradients, strict=True):
        assert torch.allclose(parameter.grad, gradient, rtol=1e-4, atol=1e-5)


def test_plain_network__has_52_inputs_and_no_order():
    assert make(order=None).actor[0].weight.shape == (64, 52)
    networks = ActorCritic(make(order=None))
    assert networks.order is None
    assert networks.logits(torch.zeros(3, 52)).shape == (3, 145)
    assert networks.values(torch.zeros(3, 52)).shape == (3,)


def test_actor_and_critic__share_nothing():
    networks = ActorCritic(make())
    networks.values(torch.ones(2, 52)).sum().backward()
    assert all(p.grad is None for p in networks.actor.parameters())
    assert all(p.grad is not None for p in networks.critic.parameters())


def test_orthogonal_init__has_the_gains_of_the_docstring_and_zero_biases():
    networks = make(orthogonal_init=True)
    for layers, last_gain in ((networks.actor, 0.01), (networks.critic, 1.0)):
        for layer, gain in zip(layers, (2**0.5, 2**0.5, last_gain), strict=True):
            singular_values = np.linalg.svd(layer.weight, compute_uv=False)
            assert np.allclose(singular_values, gain, rtol=1e-4)
            assert not layer.bias.any()


def test_default_init__is_uniform_within_one_over_root_of_the_inputs():
    networks = make()
    for layer in [*networks.actor, *networks.critic]:
        bound = layer.weight.shape[1] ** -0.5
        assert 0.9 * bound < np.abs(layer.weight).max() <= bound
        assert np.abs(layer.bias).max() <= bound
    weights = networks.actor[2].weight / 64**-0.5
    assert abs(weights.mean()) < 0.02
    assert abs(np.square(weights).mean() - 1 / 3) < 0.02


def test_init__depends_on_the_seed():
    first, same, other = make(seed=1), make(seed=1), make(seed=2)
    assert np.array_equal(first.learned, same.learned)
    assert not np.array_equal(first.learned, other.learned)


def test_torch_networks__leave_the_global_generator_alone():
    before = torch.get_rng_state()
    ActorCritic(make())
    assert torch.equal(torch.get_rng_state(), before)


def test_torch_networks__take_and_give_back_every_parameter():
    first, other = make(seed=1), make(seed=2)
    module = ActorCritic(first)
    module.take(other)
    module.give(first)
    assert np.array_equal(first.learned, other.learned)
