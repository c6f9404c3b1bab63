"""The rules of CAGE-2, compiled: one rule is a function of one environment, and one loop runs them over a batch."""
