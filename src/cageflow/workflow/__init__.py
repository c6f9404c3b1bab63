"""Workflows: how blue's fixes are judged by an order of priority over unit types."""
