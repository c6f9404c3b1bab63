"""Trainings here are as small as those of the learner's own tests."""

from tests.unit.learn.conftest import one_thread

__all__ = ["one_thread"]
