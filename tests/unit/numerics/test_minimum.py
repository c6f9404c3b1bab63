"""The minimum in a box, on functions whose minima are known."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from cageflow.numerics.minimum import minimise

FAR = 1e6


def box(n, wall=FAR):
    return np.full(n, -wall), np.full(n, wall)


def test_minimum__of_a_bowl_is_its_bottom_whatever_its_units():
    bottom, curvatures = np.array([1.0, -2.0, 300.0]), np.array([4.0, 0.01, 1e-6])

    def bowl(x):
        off = x - bottom
        return float((curvatures * off * off).sum()), 2.0 * curvatures * off

    for units in (np.ones(3), 1.0 / np.sqrt(curvatures)):
        place, value = minimise(bowl, np.zeros(3), *box(3), units)
        assert value == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(place, bottom, atol=1e-4)


def test_minimum__of_a_curved_valley_is_found():
    place, value = minimise(lambda x: (rosen(x), rosen_der(x)), np.array([1.3, 0.7, 0.8, 1.9]), *box(4), np.ones(4))
    np.testing.assert_allclose(place, np.ones(4), atol=1e-4)
    assert value < 1e-8


def test_minimum__stays_in_the_box_and_lies_where_that_of_scipy_does():
    low, high = np.array([-2.0, -2.0, 1.2]), np.array([0.5, 2.0, 2.0])
    ours, value = minimise(lambda x: (rosen(x), rosen_der(x)), np.array([0.0, 0.0, 1.5]), low, high, np.ones(3))
    theirs = minimize(rosen, [0.0, 0.0, 1.5], jac=rosen_der, method="L-BFGS-B", bounds=np.stack([low, high], axis=1))
    assert value <= theirs.fun + 1e-7
    assert ((low <= ours) & (ours <= high)).all() and ours[2] == 1.2
    point = np.array([0.3])
    assert minimise(lambda x: (float(x[0]), np.ones(1)), point, point, point, np.ones(1))[0] == point


def test_minimum__of_what_falls_for_ever_is_a_wall():
    place, _ = minimise(lambda x: (float(-x.sum()), -np.ones(2)), np.zeros(2), *box(2, 5.0), np.ones(2))
    np.testing.assert_array_equal(place, [5.0, 5.0])
