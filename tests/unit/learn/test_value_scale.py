import numpy as np
import pytest

from cageflow.learn.value_scale import DECAY, ValueScale

RETURNS = np.array([[-30.0, -10.0], [10.0, 30.0]], np.float32)  # mean 0, mean square 500


def last_layer(inputs):
    """Weight and bias of a critic's last layer."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(1, inputs)).astype(np.float32), rng.normal(size=1).astype(np.float32)


def test_to_returns__undoes_to_values():
    scale = ValueScale()
    scale.start(RETURNS + 100.0)
    assert scale.mean == 100.0
    assert scale.std == pytest.approx(500.0**0.5)
    values = scale.to_values(RETURNS + 100.0)
    assert values.mean() == pytest.approx(0.0, abs=1e-6)
    assert values.std() == pytest.approx(1.0)
    assert scale.to_returns(values) == pytest.approx(RETURNS + 100.0)


def test_start__counts_only_once():
    scale = ValueScale()
    scale.start(RETURNS)
    scale.start(RETURNS + 1000.0)
    assert scale.mean == 0.0


def test_update__moves_the_moments_by_a_share_of_the_difference():
    scale = ValueScale()
    scale.start(RETURNS)
    scale.update(RETURNS + 10.0, *last_layer(2))
    mean = (1 - DECAY) * 10.0
    square = DECAY * 500.0 + (1 - DECAY) * 600.0
    assert scale.mean == pytest.approx(mean)
    assert scale.std == pytest.approx((square - mean**2) ** 0.5)


def test_update__keeps_what_the_critic_predicts_in_units_of_the_rewards():
    scale = ValueScale()
    scale.start(RETURNS)
    weight, bias = last_layer(3)
    hidden = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)

    def predictions():
        return scale.to_returns(hidden @ weight.T + bias)

    before = predictions()
    scale.update(5.0 * RETURNS - 70.0, weight, bias)
    assert scale.mean != 0.0
    assert predictions() == pytest.approx(before, abs=1e-4)


def test_scale__of_equal_returns_stays_finite():
    scale = ValueScale()
    scale.start(np.full((2, 2), 3.0, np.float32))
    assert scale.std > 0.0
    assert np.isfinite(scale.to_values(RETURNS)).all()


def test_scale__is_no_finer_than_a_hundredth():
    # Rewards are multiples of a tenth: what differs by less is rounding, what differs by more keeps its own scale.
    for spread, std in ((0.0, 0.01), (0.004, 0.01), (0.02, 0.02), (0.05, 0.05)):
        scale = ValueScale()
        scale.start(np.array([-spread, spread], np.float32))
        assert scale.std == pytest.approx(std)


def test_state__is_carried_over_exactly_started_or_not():
    scale, other = ValueScale(), ValueScale()
    scale.start(RETURNS)
    scale.update(RETURNS * 3.0, *last_layer(2))
    other.load_state_dict(scale.state_dict())
    assert (other.mean, other.std) == (scale.mean, scale.std)
    other.load_state_dict(ValueScale().state_dict())
    assert (other.mean, other.std) == (0.0, 1.0)
    other.start(RETURNS + 1.0)
    assert other.mean == 1.0
