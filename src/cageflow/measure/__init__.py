"""How good a search strategy is: replays on landscapes, regret, calibration."""
