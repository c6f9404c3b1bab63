"""Measuring speed: of the simulator, of collecting and of training."""
