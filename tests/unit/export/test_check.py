"""The comparison at each export: it passes a true copy and refuses a false one."""

import pytest

from cageflow.envs.options import GameOptions
from cageflow.export.check import RANDOM_OBSERVATIONS, check_agreement
from cageflow.export.model import build_model
from cageflow.scenario import default_network
from tests.helpers.agents import policy
from tests.helpers.onnx_files import spoiled

NETWORK = default_network()
OPTIONS = GameOptions("meander", max_steps=20)


def changed(source, name, place, value):
    """The model with one number of a constant changed."""

    def change(array):
        array[place] = value

    return spoiled(build_model(source, NETWORK), name, change).SerializeToString()


@pytest.mark.parametrize("is_masked", [False, True])
def test_true_copy__agrees(is_masked):
    source = policy(mask_actions=is_masked)
    agreement = check_agreement(build_model(source, NETWORK).SerializeToString(), source, OPTIONS, episodes=8)
    assert agreement.num_observations == RANDOM_OBSERVATIONS + 8 * 20
    assert agreement.num_masks == (RANDOM_OBSERVATIONS + 8 * 20 if is_masked else 0)
    assert 0.0 < agreement.difference < 1e-4


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("actor.1.weight", (3, 5), 0.0, "the exported logits differ"),
        ("actor.0.bias", (2,), 9.0, "the exported logits differ"),
        ("useful_always", (1,), 1.0, "the exported masks differ from the simulator's on random tables$"),
    ],
)
def test_false_copy__is_refused(name, place, value, words):
    source = policy()
    with pytest.raises(RuntimeError, match=words):
        check_agreement(changed(source, name, place, value), source, OPTIONS, episodes=8)


def test_another_policy__is_refused():
    model = build_model(policy(seed=1), NETWORK).SerializeToString()
    with pytest.raises(RuntimeError, match="the exported logits differ from the policy's by"):
        check_agreement(model, policy(seed=2), OPTIONS, episodes=2)
