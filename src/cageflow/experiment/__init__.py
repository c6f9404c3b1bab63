"""Runs: their settings, their folder, and the trainer that joins what stands below."""
