"""Recorded episodes of the original: their format, their replay, and the recorder."""
