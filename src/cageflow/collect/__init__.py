"""Collectors: who plays the episodes that the learner learns from."""

from cageflow.collect.collectors import (
    COLLECTORS,
    RESUMED_EXACTLY,
    WITH_PROCESSES,
    Collector,
    Job,
    make_collector,
    play_each,
)
from cageflow.collect.episodes import Episodes
from cageflow.collect.feed import Feed, make_feed
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.envs.seeds import EpisodeStream

__all__ = [
    "COLLECTORS",
    "Collector",
    "EpisodeStream",
    "Episodes",
    "Feed",
    "GameSpec",
    "Job",
    "RESUMED_EXACTLY",
    "WITH_PROCESSES",
    "WorkflowSpec",
    "make_collector",
    "make_feed",
    "play_each",
]
