"""Networks of other libraries as policies: the same logits, and the same best action whatever is drawn."""

import numpy as np
import pytest
import torch
from torch import nn

from cageflow.agents.baselines.conversion import policy_of
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.envs.agent import BlueView
from cageflow.envs.options import GameOptions
from cageflow.learn.policy import Policy
from tests.unit.agents.baselines.views import never

GAME = GameOptions("RedMeanderAgent", "challenge", max_steps=30)
BITS = np.random.default_rng(0).integers(2, size=(200, 52), dtype=np.uint8)


def network(activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(52, 16), activation(), nn.Linear(16, 8), activation(), nn.Linear(8, 145)
    )


def outputs(module: nn.Module) -> np.ndarray:
    with torch.no_grad():
        return module(torch.from_numpy(BITS).float()).numpy()


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
def test_policy__has_the_probabilities_of_the_network(activation: type[nn.Module]) -> None:
    module = network(activation)
    policy = policy_of(module, "a2c", GAME, 12)
    expected = torch.log_softmax(torch.from_numpy(outputs(module)), dim=1).numpy()
    assert policy.log_probs(BITS) == pytest.approx(expected, abs=1e-5)


def test_card__says_what_it_was_trained_in_and_how_long() -> None:
    card = policy_of(network(), "a2c", GAME, 12).card
    assert (card.preset, card.training_episodes, card.workflow, card.mask_actions) == ("a2c", 12, None, False)
    assert (card.red_agent, card.rules, card.max_steps) == ("RedMeanderAgent", "challenge", 30)


def drawn(policy: Policy) -> np.ndarray:
    agent = PolicyAgent(policy)
    agent.reset(np.arange(len(BITS), dtype=np.uint64))
    return agent.act(BlueView(0, BITS, None, never, never, never, never)).copy()


def test_greedy_policy__draws_the_best_action_every_time() -> None:
    module = network()
    values = outputs(module)
    best = values.argmax(axis=1)
    assert drawn(policy_of(module, "dqn", GAME, 1, greedy=True)).tolist() == best.tolist()
    assert (drawn(policy_of(module, "dqn", GAME, 1)) != best).any(), "without it others are drawn too"
    second = np.sort(values, axis=1)[:, -2]
    assert (values.max(axis=1) - second).min() < 1e-3, "some values lie close together"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Linear(52, 4), nn.Sigmoid(), nn.Linear(4, 145)), "got Sigmoid"),
        (nn.Sequential(nn.Linear(52, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 145)), "relu and tanh"),
    ],
)
def test_network_that_a_policy_file_cannot_hold_is_refused(module: nn.Sequential, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        policy_of(module, "dqn", GAME, 1)
