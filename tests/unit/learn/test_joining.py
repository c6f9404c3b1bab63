"""Two policies in one that is told which of the rules it plays: it is either, to the last digits."""

from dataclasses import replace

import numpy as np
import pytest

from cageflow.envs.options import RULES
from cageflow.errors import UserError
from cageflow.learn.joining import join_rules
from cageflow.learn.policy import Policy
from tests.helpers.agents import NETWORK, policy

ORDER = "enterprise,op_server,defender,op_host,user"


def one_of(rules: str, seed: int, ordered: bool = False) -> Policy:
    """A policy with weights by chance, three hidden layers of other sizes than the other's."""
    rng = np.random.default_rng(seed)
    card = replace(policy().card, rules=rules, activation="tanh", workflow=ORDER if ordered else None)
    code = NETWORK.orders.encode(NETWORK.orders.parse(ORDER)) if ordered else None
    num_inputs = NETWORK.num_observations + (0 if code is None else len(code))
    sizes = [num_inputs, 16 + seed, 12, 9 - seed, len(NETWORK.codec)]
    layers = [
        (rng.normal(size=(rows, columns)).astype(np.float32), rng.normal(size=rows).astype(np.float32))
        for columns, rows in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    return Policy(card, layers, code)


@pytest.mark.parametrize("ordered", [False, True])
def test_joined_policy__is_each_of_the_two_under_its_rules(ordered: bool) -> None:
    both = tuple(one_of(rules, seed, ordered) for seed, rules in enumerate(RULES))
    joined = join_rules((both[0], both[1]))
    assert joined.card.is_told_rules and joined.card.rules == "mixed"
    bits = np.random.default_rng(5).integers(2, size=(200, NETWORK.num_observations)).astype(np.uint8)
    for rules, alone in zip(RULES, both, strict=True):
        assert joined.for_rules(rules).log_probs(bits) == pytest.approx(alone.log_probs(bits), abs=2e-4)
    assert not np.allclose(both[0].log_probs(bits), both[1].log_probs(bits), atol=1.0)


def test_policies_of_other_games__are_not_joined() -> None:
    one, other = one_of("v2.1", 0), one_of("challenge", 1)
    with pytest.raises(UserError, match="expected a tanh policy trained under v2.1, got challenge"):
        join_rules((other, one))
    with pytest.raises(UserError, match="trained in different games"):
        join_rules((one, Policy(replace(other.card, max_steps=7), other.layers)))
