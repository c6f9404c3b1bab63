"""The minimum of a smooth function of some dozen numbers in a box, by steps whose every sum has a stated order."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]
"""From (P,) numbers to a value and its gradient (P,)."""

MAX_STEPS = 200
ENOUGH = 1e-4
"""Share of the descent that the gradient promises, which a step must keep (Armijo's rule)."""
SHORTEST = 1e-10
"""Part of a step below which no shorter one is tried."""
VALUE_TOLERANCE = 1e-10
"""A step that lowers the value by less, in parts of it, is the last."""
GRADIENT_TOLERANCE = 1e-6
"""Largest slope, per unit, that counts as none."""


def minimise(objective: Objective, start: Floats, low: Floats, high: Floats, units: Floats) -> tuple[Floats, float]:
    """The place (P,) of the minimum that lies downhill from a start, and the value there.

    Quasi-Newton steps with the inverse Hessian of Broyden, Fletcher, Goldfarb and Shanno, cut off at the box, along
    those numbers that are not held by its walls. Source: Nocedal and Wright, "Numerical Optimization", chapter 6.

    Args:
        objective: finite in the box.
        start: in the box.
        low: (P,) with `high` the walls of the box.
        high: (P,), at least `low`.
        units: (P,) above 0, lengths on which the function changes alike: the first guess of the inverse Hessian is
            their square.
    """
    first = np.diag(units * units)
    inverse_hessian = first
    x = start
    value, gradient = objective(x)
    for _ in range(MAX_STEPS):
        free = ~(((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0)))
        slope = np.where(free, gradient, 0.0)
        if np.abs(slope * units).max() <= GRADIENT_TOLERANCE:
            break
        direction = np.where(free, -(inverse_hessian * slope).sum(axis=1), 0.0)
        if not (direction * slope).sum() < 0.0:
            inverse_hessian = first
            direction = -slope * units * units
        found = _step(objective, x, value, gradient, direction, low, high)
        if found is None:
            if inverse_hessian is first:
                break
            inverse_hessian = first  # what it has learned has misled it
            continue
        there, new_value, new_gradient = found
        inverse_hessian = _updated(inverse_hessian, there - x, new_gradient - gradient)
        gained = value - new_value
        x, value, gradient = there, new_value, new_gradient
        if gained <= VALUE_TOLERANCE * max(1.0, abs(value)):
            break
    return x, value


def _step(
    objective: Objective, x: Floats, value: float, gradient: Floats, direction: Floats, low: Floats, high: Floats
) -> tuple[Floats, float, Floats] | None:
    """Go along a direction as far as the value falls enough: the place, its value and gradient; None if it never does.

    A step that is too long is shortened to where a parabola has its minimum.
    """
    part = 1.0
    while part >= SHORTEST:
        there = np.minimum(np.maximum(x + part * direction, low), high)
        promised = float((gradient * (there - x)).sum())
        if promised < 0.0:
            new_value, new_gradient = objective(there)
            if new_value <= value + ENOUGH * promised:
                return there, new_value, new_gradient
            shorter = -0.5 * promised / (new_value - value - promised)
        else:
            shorter = 0.5
        part *= min(max(shorter, 0.1), 0.5)
    return None


def _updated(inverse_hessian: Floats, step: Floats, change: Floats) -> Floats:
    """The inverse Hessian that knows of a step and of the change of the gradient along it."""
    curvature = float((step * change).sum())
    if not curvature > 1e-12 * float((change * change).sum()):
        return inverse_hessian
    turned = (inverse_hessian * change).sum(axis=1)
    outer = np.multiply.outer(step, turned)
    stretch = (1.0 + float((change * turned).sum()) / curvature) / curvature
    return inverse_hessian - (outer + outer.T) / curvature + stretch * np.multiply.outer(step, step)
