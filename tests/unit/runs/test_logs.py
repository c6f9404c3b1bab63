"""The lines of the logs, which others read: their columns and forms by hand, and that they are read back."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from cageflow.learn.policy import ANY_WORKFLOW
from cageflow.runs.logs import (
    BELIEFS,
    BEST_ACQUISITION,
    LOGS,
    TRIALS,
    UPDATES,
    LoggedBelief,
    LoggedTrial,
    LoggedUpdate,
)
from cageflow.scenario.orders import OrderSpace, log_order
from cageflow.search import Acquisition
from tests.helpers.orders import ALL_ORDERS, ORDERS
from tests.unit.runs.records import iteration, update_record

ORDER = ALL_ORDERS[7]
WORDS = log_order(ORDER)
TESTED = "2.5000,2.2500,1.5000,1.2500"


def logged(order, ending=None):
    record = update_record(2, 100)
    return LoggedUpdate.of(
        ORDERS, order, record, trial=3, run_episodes=400, ending=ending, training=2, trained_episodes=300
    )


def read(form, cells):
    return form.parse(dict(zip(form.columns, cells, strict=True)))


def test_columns__are_a_contract():
    assert UPDATES.header == (
        "Workflow_ID,Workflow_Order,Update,Episodes,Env_Reward,Alignment_Bonus,Total_Reward,Compliance,Avg_Fixes,"
        "Collection_Time,Update_Time,Trial,Run_Episodes,Policy_Loss,Value_Loss,Entropy,Approx_KL,Clip_Fraction,"
        "Explained_Variance,Grad_Norm,Learning_Rate,Distinct_Observations,Ending,Training,Training_Episodes,"
        "Tested,Tested_Compliant,Known_Tested,Known_Compliant"
    )
    assert TRIALS.header == (
        "Iteration,Workflow,UCB_Score,Reward,Final_Compliance,Episodes_Trained,GP_Updated,"
        "Workflow_ID,Reward_SE,Compliance_SE,Workflow_Episodes,Run_Episodes,Ending,Seconds,Training,"
        "Tested,Tested_Compliant,Known_Tested,Known_Compliant,Contests"
    )
    assert BELIEFS.header == "Iteration,Workflow_ID,Workflow,Mean,Std,UCB,Feasibility,Score"
    assert LOGS["landscape"].format.header == (
        "Workflow_ID,Workflow_Order,Seed,Reward,Reward_SE,Compliance,Compliance_SE,"
        "Episodes,Ending,Threshold_Episodes,Seconds,Network"
    )


@pytest.mark.parametrize(
    ("order", "ending", "begins", "middle", "ends"),
    [
        (ORDER, "budget", f"7,{WORDS}", "0.8760,31.40", f"3000,budget,2,400,{TESTED}"),
        (ANY_WORKFLOW, None, "-1,any", "0.8760,31.40", f"3000,,2,400,{TESTED}"),
        (None, None, "-1,none", ",", "3000,,2,400,,,,"),
    ],
)
def test_line_of_an_update(order, ending, begins, middle, ends):
    cells = UPDATES.cells(logged(order, ending))
    assert ",".join(cells) == (
        f"{begins},2,100,-1234.5600,-12.3400,-1246.9000,{middle},0.1000,0.2000,3,400,"
        f"-0.01,0.5,3.2,0.01,0.1000,0.4000,0.3,0.002,{ends}"
    )
    back = read(UPDATES, cells)
    assert (back.order, back.ending, isnan(back.compliance)) == (order, ending, order is None)
    if order is not None:
        assert replace(back, total_reward=0.0) == replace(logged(order, ending), total_reward=0.0)


def test_line_of_a_trial():
    ended = replace(iteration(ORDER, 200, "plateau"), ucb=-1.5)
    cells = TRIALS.cells(LoggedTrial.of(ORDERS, ended))
    figures = "0.8760,200,0,7,12.3400,,200,200,plateau,1.00,1"
    assert ",".join(cells) == f"0,{WORDS},-1.5000,-1234.5600,{figures},{TESTED},0 1.5;0.25 0"
    assert read(TRIALS, cells).result == ended.result


def test_line_of_no_trial__is_refused():
    cells = TRIALS.cells(LoggedTrial.of(ORDERS, iteration(ORDER, 200, "plateau")))
    with pytest.raises(ValueError, match="compliance is 1.5, expected 0 to 1"):
        read(TRIALS, [*cells[:4], "1.5", *cells[5:]])


def test_beliefs__are_of_all_orders_while_they_are_few():
    means = np.arange(120) / 3
    acquisition = Acquisition(means, means, means, means, means)
    lines = LoggedBelief.all_of(ORDERS, 4, acquisition, ())
    assert [line.workflow_id for line in lines] == list(range(120))
    assert BELIEFS.cells(lines[7]) == ["4", "7", WORDS, *["2.33333"] * 5]


def test_beliefs__are_of_the_best_and_of_the_tried_orders_where_there_are_many():
    space = OrderSpace(tuple("abcdefg"))
    ucb = np.arange(5040.0)
    lines = LoggedBelief.all_of(space, 0, Acquisition(ucb, ucb, ucb, ucb, ucb), [space.unrank(3)])
    assert [line.workflow_id for line in lines] == [3, *range(5040 - BEST_ACQUISITION, 5040)]
