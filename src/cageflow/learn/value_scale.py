"""The unit of the critic: returns by their running mean and standard deviation."""

import math

import numpy as np
from numpy.typing import NDArray

DECAY = 0.9
"""Weight that the past keeps in the running moments at each update."""
_SMALLEST_STD = 1e-2


class ValueScale:
    """Running mean and standard deviation of the returns, in whose units the critic predicts.

    When they move, the critic's last layer is rescaled so that its predictions, in units of the rewards, stay what they
    were (PopArt: van Hasselt et al. 2016, "Learning values across many orders of magnitude").
    """

    def __init__(self) -> None:
        self.mean = 0.0
        self.std = 1.0
        self._square = 1.0
        self._started = False

    def start(self, returns: NDArray[np.float32]) -> None:
        """Take the scale from the first returns, so that an untrained critic predicts their mean; later do nothing."""
        if not self._started:
            self._started = True
            self._move(*_moments(returns))

    def update(self, returns: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Move towards the moments of `returns`, keeping the predictions of the critic whose last layer this is."""
        old_mean, old_std = self.mean, self.std
        mean, square = _moments(returns)
        self._move(DECAY * self.mean + (1.0 - DECAY) * mean, DECAY * self._square + (1.0 - DECAY) * square)
        weight *= old_std / self.std
        bias *= old_std
        bias += old_mean - self.mean
        bias /= self.std

    def to_returns(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The critic's output in units of the rewards."""
        return values * np.float32(self.std) + np.float32(self.mean)

    def to_values(self, returns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns in units of the critic's output."""
        return (returns - np.float32(self.mean)) / np.float32(self.std)

    def state_dict(self) -> dict[str, float | bool]:
        """All that `load_state_dict` needs."""
        return {"mean": self.mean, "square": self._square, "started": self._started}

    def load_state_dict(self, state: dict[str, float | bool]) -> None:
        """Go on from a saved state."""
        self._started = bool(state["started"])
        self._move(float(state["mean"]), float(state["square"]))

    def _move(self, mean: float, square: float) -> None:
        self.mean, self._square = mean, square
        self.std = max(math.sqrt(max(square - mean * mean, 0.0)), _SMALLEST_STD)


def _moments(returns: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and mean square."""
    return float(np.mean(returns, dtype=np.float64)), float(np.mean(np.square(returns, dtype=np.float64)))
