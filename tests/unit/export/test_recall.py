"""A policy with a memory, exported: the file remembers by itself what the simulator would tell the policy."""

import pytest

from cageflow.envs.options import GameOptions
from cageflow.export.check import check_agreement
from cageflow.export.model import build_model
from cageflow.scenario import default_network
from tests.helpers.agents import policy
from tests.helpers.onnx_files import shifted, spoiled

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


@pytest.mark.parametrize(
    "name", ["restores", "kinds", "longest_ages", "clock", "acts_on", "decoy_places", "table_bits.0", "table_bits.1"]
)
def test_spoiled_constant__is_found(name):
    source = policy(memory=True)
    model = spoiled(build_model(source, NETWORK), name, shifted)
    with pytest.raises(RuntimeError, match="the exported (logits|masks) differ"):
        check_agreement(model.SerializeToString(), source, GameOptions("meander", max_steps=20), episodes=8)
