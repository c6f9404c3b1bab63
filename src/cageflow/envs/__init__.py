"""CAGE-2 behind Gymnasium's interfaces: one game, many games, and the original through its bridge."""
