"""Runs: their folder, logs, progress, how they go on, and what each command computes."""
