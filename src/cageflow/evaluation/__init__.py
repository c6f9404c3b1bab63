"""Policies at work: an episode to watch."""
