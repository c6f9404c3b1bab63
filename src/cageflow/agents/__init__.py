"""Whoever plays blue: policies, baselines, champions, teams, exported files and agents of others."""
