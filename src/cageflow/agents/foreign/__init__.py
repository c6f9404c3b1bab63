"""Agents of others, each in a process of its own that gets what blue sees and gives actions, and holds nothing else."""
