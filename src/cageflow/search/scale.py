"""Rewards on a scale on which a training that went wrong is so many times worse, and not so many points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cageflow.numerics.linear import exps, logs

Floats = NDArray[np.float64]

UNIT_WITHOUT_DATA = 10.0
"""Points of reward that trainings may fall short while no two tell."""


@dataclass(frozen=True, slots=True)
class Scale:
    """value = -ln(1 + gap / unit), where the gap is what a reward falls short of the best one seen.

    The noise of trainings has a heavy tail: one falls into a bad optimum and loses four times as much as another of the
    same order. Near the best the scale counts in points, and far below in factors, so such a training pulls on what is
    believed of its order and not on everything. It does not depend on the zero or the unit of rewards.

    Attributes:
        best: reward of value 0. A reward above it has a value on a line, so that any has one; what is believed stays
            below `best` + `unit`, which has the value infinity.
        unit: points, the median of what trainings fall short; a reward short by so many has the value -ln 2.
    """

    best: float
    unit: float

    @classmethod
    def of(cls, rewards: Floats, errors: Floats) -> "Scale":
        """From the latest rewards (N,) of all trainings and their standard errors (N,)."""
        if len(rewards) == 0:
            return cls(0.0, UNIT_WITHOUT_DATA)
        best = float(rewards.max())
        unit = max(float(np.median(best - rewards)), 2.0 * float(np.median(errors)))
        return cls(best, unit if unit > 1e-9 * max(abs(best), 1.0) else UNIT_WITHOUT_DATA)

    def to_value(self, reward: Floats) -> Floats:
        """Values of rewards, of the same shape."""
        short = (self.best - reward) / self.unit
        return np.where(short >= 0.0, -logs(1.0 + np.maximum(short, 0.0)), -short)

    def slope(self, reward: Floats) -> Floats:
        """Derivatives of the values by the rewards, per point."""
        return np.asarray(1.0 / (self.unit + np.maximum(self.best - reward, 0.0)))

    def to_reward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of a reward whose value is Normal, of the same shapes."""
        factor = exps(0.5 * variance - mean)
        spread = np.sqrt(np.maximum(exps(variance) - 1.0, 0.0))
        return self.best + self.unit * (1.0 - factor), self.unit * factor * spread
