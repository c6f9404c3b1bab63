"""A task that kills its worker whenever it is to play one certain episode; imported by the workers themselves."""

import os

from cageflow.collect import Episodes, EpisodeStream, WorkflowSpec
from cageflow.collect.workers import _play
from cageflow.learn.inference import ActorWeights

DEADLY = EpisodeStream(7, "test").seeds(6, 1)[0]


def play(weights: ActorWeights, seeds: "object", workflow: WorkflowSpec | None) -> Episodes:
    """As the real task, but for the one seed."""
    if DEADLY in seeds:  # type: ignore[operator]
        os._exit(9)
    return _play(weights, seeds, workflow)  # type: ignore[arg-type]
