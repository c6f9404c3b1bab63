"""Scenario files of the original, CybORG: read as ours, and written from ours."""
