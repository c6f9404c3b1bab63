"""One value has no spread: a minibatch, or a rollout, of a single step learns something that is a number."""

import numpy as np
import pytest

from cageflow.learn.policy_file import load_policy
from cageflow.runs import runs
from cageflow.runs.progress import Quiet
from cageflow.settings.reading import make_config


@pytest.mark.parametrize(
    "settings",
    [
        {"max_steps": 7, "total_episodes": 11, "episodes_per_update": 10},  # the last update: 7 steps in 4 minibatches
        {"max_steps": 1, "total_episodes": 3, "episodes_per_update": 1, "preset": "reference"},
    ],
)
def test_training__of_single_steps_gives_numbers(settings: dict[str, object], tmp_path) -> None:
    config = make_config({"command": "train", "evaluation_episodes": 2, **settings})
    summary = runs.start(config, tmp_path / "run", Quiet())
    policy = load_policy(summary.policy)
    assert all(np.isfinite(weight).all() and np.isfinite(bias).all() for weight, bias in policy.layers)
