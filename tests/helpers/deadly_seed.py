"""A task that kills its worker whenever it is to play one certain episode; imported by the workers themselves."""

import os

from cageflow.collect import Episodes, EpisodeStream
from cageflow.collect.workers import Task, _play

DEADLY = EpisodeStream(7, "test").seeds(6, 1)[0]


def play(task: Task) -> Episodes:
    """As the real task, but for the one seed."""
    if DEADLY in task.seeds:
        os._exit(9)
    return _play(task)
