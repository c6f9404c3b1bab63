"""What a model card says follows from what the policy is."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.sources import PolicySource
from cageflow.collect import WorkflowSpec
from cageflow.evaluation.perturbed import Perturbed, PerturbedCell
from cageflow.evaluation.protocol import Cell, Evaluation, EvaluationSettings
from cageflow.export.card import CARD_TITLE, model_card
from cageflow.export.check import Agreement
from cageflow.scenario import Network
from cageflow.scenario.schema import Durations, HostDurations
from cageflow.workflow.tested import OrderTests
from tests.helpers.agents import NETWORK, policy
from tests.helpers.orders import parse_order

OTHER = Network(NETWORK.scenario.model_copy(update={"name": "Mine", "restore_cost": 2.0}))
SLOW = NETWORK.with_durations(Durations(analyse=2, remove=3, restore=5, decoy=2))
OWN = {
    **SLOW.scenario.hosts,
    "User1": SLOW.scenario.hosts["User1"].model_copy(update={"durations": HostDurations(restore=9)}),
}
CREWS = Network(SLOW.scenario.model_copy(update={"hosts": OWN, "crews": 2}))
ORDER = "enterprise,op_server,user,op_host,defender"
ENFORCED = {"workflow_mode": "enforced"}


def card(green=False, network=NETWORK, num_masks=0, **settings):
    agreement = Agreement(5000, num_masks, 3.2e-6)
    return model_card(
        "defender.onnx", policy(network=network, **settings).card, agreement, [], network=network, green=green
    )


def test_card__says_where_the_policy_comes_from():
    words = card(workflow=ORDER, rules="challenge", training_episodes=12_345, alignment={"lambda": 5.0})
    assert words.startswith(f"{CARD_TITLE}defender.onnx\n")
    for part in ("    enterprise > op_server > user > op_host > defender", "12,345", "| alignment: lambda | `5.0` |"):
        assert part in words
    assert "under the rules `challenge`" in words
    assert "5,000 observations" in words and "3.2e-06" in words


def test_card__says_what_the_search_found_where_it_comes_from_one():
    found = ("enterprise before user (certain, 58 points).", "No order was found better than none.")
    agreement = Agreement(5000, 0, 3.2e-6)
    words = model_card("d.onnx", policy(workflow=ORDER).card, agreement, [], network=NETWORK, found=found)
    assert "## What the search found\n\n- Enterprise before user (certain, 58 points).\n- No order was found" in words
    assert "What the search found" not in card(workflow=ORDER)


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
        ({"network": SLOW}, "| steps of an action | analyse 2, remove 3, restore 5, decoy 2 |", "on some hosts others"),
        ({"network": SLOW}, "(analyse 2, remove 3, restore 5, decoy 2). Its memory counts", "crews. Its"),
        ({"network": SLOW, "mask_actions": False}, "Where actions take other steps", "Its memory counts"),
        ({"network": CREWS}, "blue has 2 crews, on some hosts others: `User1` (restore 9)", "| crews | 1 |"),
        ({"network": CREWS}, "| crews | 2 |", "each action takes one step"),
        ({}, "the `corrected` table", "crews"),
        ({"num_masks": 9}, "9 masks not at all", "None masks"),
        ({"workflow": ORDER}, "| the workflow is | rewarded |", "Its workflow is enforced"),
        ({"workflow": ORDER, **ENFORCED}, "`unknown` of a host of a type before its own", "| rewarded |"),
        ({"workflow": ORDER, **ENFORCED}, "`User0`, where red began", "It follows a workflow"),
        ({"workflow": ORDER, **ENFORCED, "mask_actions": False}, "for fixes that have to wait", "`next_memory`"),
    ],
)
def test_limits__are_those_of_this_policy(settings, said, unsaid):
    words = card(**settings)
    assert said in words
    assert unsaid not in words


def test_evaluation__says_how_the_order_was_kept_and_what_perturbed_starts_come_to():
    tests = OrderTests(tested=2.0, tested_compliant=1.9, known_tested=0.0, known_compliant=0.0, contests=())
    cells = tuple(
        PerturbedCell(start, "B_lineAgent", np.array([-30.0, -40.0]), np.array([-90.0, -70.0]), 0.5, tests)
        for start in ("asleep", "random")
    )
    settings = EvaluationSettings(lengths=(50,), red_agents=("B_lineAgent",))
    source = PolicySource(
        "p", Path("p"), policy(workflow=ORDER).card, WorkflowSpec(parse_order(ORDER), 0.0, "evictable"), False
    )
    cell = Cell(50, "B_lineAgent", np.array([-1.0, -2.0]), 0.9, None, tests)
    evaluation = Evaluation(source, settings, (cell,), (), Perturbed(50, cells))
    agreement = Agreement(5000, 0, 3.2e-6)
    words = model_card("defender.onnx", source.card, agreement, [evaluation], network=NETWORK)
    assert "by what blue could know 0.00 an episode; by the truth 2.00 an episode, of which 95.0% followed it." in words
    assert "Episodes of 50 steps that begin after 25 in which blue slept or played at random" in words
    assert "| asleep | B-line | -35.00 | -80.00 |  |" in words


def test_tables__have_as_many_cells_in_every_line():
    lines = [line for line in card().splitlines() if line.startswith("|")]
    assert len(lines) > 10
    assert {line.count("|") for line in lines} == {3, 5}
