"""A policy with a memory, exported: the file remembers by itself what the simulator would tell the policy."""

import onnx
import pytest
from onnx import numpy_helper

from cageflow.envs.options import GameOptions
from cageflow.export.check import check_agreement
from cageflow.export.model import build_model
from cageflow.scenario import default_network
from tests.helpers.agents import policy

NETWORK = default_network()


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"red_agent": "bline", "rules": "challenge"},
        {"red_agent": "meander", "observation": "official"},
        {"red_agent": "meander", "green": True},
    ],
    ids=str,
)
def test_exported_memory__gives_the_logits_of_the_policy_over_whole_episodes(settings, is_masked):
    options = GameOptions(**settings, max_steps=60)
    source = policy(memory=True, mask_actions=is_masked, observation=options.observation)
    model = build_model(source, NETWORK, green=options.green)
    outputs = {output.name for output in model.graph.output}
    assert ("mask" in outputs) == is_masked and "next_memory" in outputs
    agreement = check_agreement(model.SerializeToString(), source, options, episodes=8)
    assert 0.0 < agreement.difference < 1e-4


@pytest.mark.parametrize("name", ["restores", "ages_of_hosts", "longest_ages", "clock", "acts_on", "decoy_places"])
def test_spoiled_constant__is_found(name):
    source = policy(memory=True)
    model = build_model(source, NETWORK)
    constant = next(one for one in model.graph.initializer if one.name == name)
    constant.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(constant) + 2, name))
    onnx.checker.check_model(model)
    with pytest.raises(RuntimeError, match="the exported logits differ"):
        check_agreement(model.SerializeToString(), source, GameOptions("meander", max_steps=20), episodes=8)
