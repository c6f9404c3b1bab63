"""Collectors: who plays the episodes that the learner learns from."""

from cageflow.collect.episodes import Episodes
from cageflow.collect.seeds import EpisodeStream
from cageflow.collect.vector import VectorCollector

__all__ = ["EpisodeStream", "Episodes", "VectorCollector"]
