"""Calibration: coverage of held-out orders on landscapes whose noise is known."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.measure import calibration as calibration_module
from cageflow.measure.calibration import measure_calibration
from cageflow.search import Landscape, surrogate
from cageflow.work.executors import make_processes
from tests.helpers.orders import ALL_ORDERS
from tests.helpers.tasks import die_first
from tests.unit.search.landscapes import landscape_table, pair_landscape

CLIFF = np.array([0.97 if order.index("enterprise") < order.index("user") else 0.86 for order in ALL_ORDERS])


def calibrate(table, kernels=("mallows",), splits=12, **more):
    return measure_calibration(table, kernels, compliance_threshold=0.95, splits=splits, seed=0, **more)


def test_coverage__is_near_its_target_where_the_noise_is_normal():
    parts = [
        part
        for seed in range(3)
        for part in calibrate(landscape_table(pair_landscape(seed), training_sd=2.0, seed=seed))
        if part.quantity == "reward"
    ]
    assert [part.training_orders for part in parts] == [10, 20, 40, 80] * 3
    assert [part.held_out for part in parts[:4]] == [110, 100, 80, 40]
    assert np.mean([part.within_1 for part in parts]) == pytest.approx(0.683, abs=0.06)
    assert np.mean([part.within_2 for part in parts]) == pytest.approx(0.954, abs=0.03)
    assert np.mean([part.mean_within_1 for part in parts]) == pytest.approx(0.683, abs=0.1)
    explained = [np.mean([part.explained for part in parts if part.training_orders == size]) for size in (10, 80)]
    assert explained[1] > 0.8 > explained[0]


def test_coverage__shows_a_process_that_is_too_sure(monkeypatch):
    fit = surrogate.fit_surrogate

    def too_sure(*args):
        process = fit(*args)
        return surrogate.replace(process, variance=process.variance / 9, training_noise=process.training_noise / 9)

    monkeypatch.setattr(surrogate, "fit_surrogate", too_sure)
    part = calibrate(landscape_table(pair_landscape(0), training_sd=2.0))[1]
    assert part.within_1 < 0.5
    assert part.within_2 < 0.8


def test_reward__is_that_of_feasible_orders_and_compliance_that_of_all():
    parts = calibrate(landscape_table(pair_landscape(0), CLIFF), splits=2)
    sizes = {
        quantity: [p.training_orders for p in parts if p.quantity == quantity] for quantity in ("reward", "compliance")
    }
    assert sizes == {"reward": [10, 20, 40], "compliance": [10, 20, 40, 80]}
    assert [part.held_out for part in parts[:3]] == [50, 40, 20]


def test_error__is_binomial_over_the_orders_of_one_split():
    part = calibrate(landscape_table(pair_landscape(0)), splits=2)[0]
    assert part.error(0.7) == pytest.approx(np.sqrt(0.7 * 0.3 / 110))


def test_measure__depends_on_the_seed_and_not_on_who_works():
    table = landscape_table(pair_landscape(0), CLIFF)
    done = []
    with ThreadPoolExecutor(1) as executor:
        there = calibrate(table, splits=2, executor=executor, on_progress=lambda *parts: done.append(parts))
    assert there == calibrate(table, splits=2)
    assert done[-1] == (7, 7)


def test_measure__loses_nothing_by_a_worker_that_dies(tmp_path, monkeypatch):
    table = landscape_table(pair_landscape(0), CLIFF)
    here = calibrate(table, splits=1)
    dying = partial(die_first, calibration_module.__name__, "_calibrate", str(tmp_path), 1)
    monkeypatch.setattr(calibration_module, "_calibrate", dying)
    with make_processes(1) as processes:
        assert calibrate(table, splits=1, executor=processes.executor) == here
    assert len(list(tmp_path.iterdir())) == 1


def test_measure__refuses_no_splits():
    with pytest.raises(UserError, match="splits is 0: it must be at least 1"):
        calibrate(landscape_table(pair_landscape(0)), splits=0)


def test_curves__are_as_sure_as_they_should_be_where_trainings_fall_into_bad_optima():
    rng = np.random.default_rng(0)
    log_loss = 3.5 - 0.4 * (pair_landscape(0) - pair_landscape(0).mean()) / pair_landscape(0).std()
    table = landscape_table(np.zeros(120), training_sd=0.0, seeds=2)
    rows = [
        replace(row, reward=-float(np.exp(log_loss[ALL_ORDERS.index(row.order)] + 0.25 * rng.normal())))
        for row in table.rows
    ]
    parts = calibrate(Landscape(table.space, tuple(rows)), curves=True)
    on_scale = [part for part in parts if part.quantity == "log-gap"]
    assert [part.kernel for part in on_scale] == ["curves"] * 4
    assert np.mean([part.within_1 for part in on_scale]) == pytest.approx(0.683, abs=0.06)
    assert np.mean([part.within_2 for part in on_scale]) == pytest.approx(0.954, abs=0.04)
    assert on_scale[2].explained > 0.5
    points = {part.kernel: part for part in parts if part.quantity == "reward" and part.training_orders == 40}
    assert set(points) == {"mallows", "curves"}
    assert points["curves"].explained > points["mallows"].explained
