"""Policies at work: the challenge's protocol, statistics, teams, agents brought along, and an episode to watch."""
