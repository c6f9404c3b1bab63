"""What a model card says follows from what the policy is."""

from dataclasses import replace

import pytest

from cageflow.export.card import CARD_TITLE, model_card
from cageflow.export.check import Agreement
from tests.helpers.agents import NETWORK, policy

OTHER = replace(NETWORK.identity, name="Mine", fingerprint="0" * 64)
ORDER = "enterprise,op_server,user,op_host,defender"


def card(green=False, network=NETWORK.identity, num_masks=0, **settings):
    agreement = Agreement(5000, num_masks, 3.2e-6)
    return model_card("defender.onnx", policy(**settings).card, agreement, [], network=network, green=green)


def test_card__says_where_the_policy_comes_from():
    words = card(workflow=ORDER, rules="challenge", training_episodes=12_345, alignment={"lambda": 5.0})
    assert words.startswith(f"{CARD_TITLE}defender.onnx\n")
    for part in ("    enterprise > op_server > user > op_host > defender", "12,345", "| alignment: lambda | `5.0` |"):
        assert part in words
    assert "under the rules `challenge`" in words
    assert "5,000 observations" in words and "3.2e-06" in words


@pytest.mark.parametrize(
    ("settings", "said", "unsaid"),
    [
        ({"mask_actions": True, "num_masks": 9}, "| input | `memory` |", "without action masks"),
        ({"mask_actions": False}, "without action masks", "`next_memory`"),
        ({"green": True}, "green agent awake", "green agent asleep"),
        ({}, "green agent asleep", "green agent awake"),
        ({"observation": "official"}, "the `official` table", "the `corrected` table"),
        ({}, "the `corrected` table", "the `official` table"),
        ({"network": OTHER}, "the network `Mine`", "13 hosts of CAGE-2"),
        ({"network": OTHER}, "no figure here compares", "Only figures under `challenge` compare"),
        ({}, "Only figures under `challenge` compare", "no figure here compares"),
        ({"workflow": None}, "follows no workflow", "It follows a workflow"),
        ({"num_masks": 9}, "9 masks not at all", "None masks"),
    ],
)
def test_limits__are_those_of_this_policy(settings, said, unsaid):
    words = card(**settings)
    assert said in words
    assert unsaid not in words


def test_tables__have_as_many_cells_in_every_line():
    lines = [line for line in card().splitlines() if line.startswith("|")]
    assert len(lines) > 10
    assert {line.count("|") for line in lines} == {3, 5}
