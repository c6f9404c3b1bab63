"""Where things stand in the folder of a run."""

from __future__ import annotations

from pathlib import Path

from cageflow.learn.fit import NETWORK_FILE
from cageflow.settings.config import RunConfig

CONFIG, NETWORK, CHECKPOINT, POLICIES = "config.json", NETWORK_FILE, "checkpoint", "policies"
STATE, START = "state.pt", "start.pt"
"""In `CHECKPOINT`: how the run stands, and the learner that it began with."""
RECOMMENDATION = "recommendation.json"
UNIVERSAL_TABLE = "universal.csv"


def on_own_network(config: RunConfig, path: Path) -> RunConfig:
    """The configuration of the run in a folder, on the network that the folder keeps."""
    return config if config.scenario is None else config.model_copy(update={"scenario": str(path / NETWORK)})
