"""Trial results: what they refuse, and that they survive a file."""

import json
import math

import pytest

from cageflow.search import TrialResult
from tests.helpers.orders import ids

FACTS = {
    "order": ids(1, 0, 2, 3, 4),
    "reward": -18.1 / 3,
    "reward_se": 0.1,
    "compliance": 0.97,
    "compliance_se": 0.01,
    "episodes": 400,
    "total_episodes": 600,
    "ending": "patience",
    "seconds": 12.5,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reward", math.nan),
        ("reward", math.inf),
        ("reward_se", -0.1),
        ("reward_se", math.nan),
        ("compliance", 1.01),
        ("compliance", -0.01),
        ("compliance", math.nan),
        ("compliance_se", -1.0),
        ("compliance_se", math.nan),
        ("episodes", 0),
        ("total_episodes", 399),
        ("order", ids(0, 0, 1, 2, 3)),
    ],
)
def test_trial_result__refuses_what_would_poison_later_choices(field, value):
    with pytest.raises(ValueError, match="expected|less than|no workflow order"):
        TrialResult(**(FACTS | {field: value}))


TESTS = {"tested": 2.5, "tested_compliant": 1 / 3, "known_tested": 0.1, "known_compliant": 0.0}


@pytest.mark.parametrize(
    "more", [{"compliance_se": None}, {"compliance_se": 0.01}, TESTS | {"contests": ((0.0, 1 / 3), (2.0, 0.0))}]
)
def test_trial_result__round_trips_through_json_bit_for_bit(more):
    trial = TrialResult(**(FACTS | more))
    data = json.loads(json.dumps(trial.to_json()))
    assert data["order"] == ["enterprise", "defender", "op_server", "op_host", "user"]
    assert TrialResult.from_json(data) == trial


def test_trial_result__from_json_refuses_missing_and_unknown_fields():
    data = TrialResult(**FACTS).to_json()
    with pytest.raises(ValueError, match="a trial has the fields"):
        TrialResult.from_json({key: value for key, value in data.items() if key != "reward"})
    with pytest.raises(ValueError, match="a trial has the fields"):
        TrialResult.from_json(data | {"score": 1.0})
