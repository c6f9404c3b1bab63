"""The statistics of evaluations and comparisons: every interval, test and effect size of the package stands here.

SciPy is loaded where it is needed: its statistics take most of a second, its functions a fifth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LEVEL = 0.95  # of intervals
ALPHA = 0.05  # of tests
POWER = 0.8  # below it a test is said to be too weak
BOOTSTRAP_RESAMPLES = 9_999

Values = npt.ArrayLike


class Interval(NamedTuple):
    """From `low` to `high`."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A mean, or a sum of means, and how well it is known.

    Attributes:
        mean: the estimate.
        se: its standard error.
        dof: degrees of freedom of the standard error, at least 1; infinite where it is taken as known.
    """

    mean: float
    se: float
    dof: float

    def interval(self, level: float = LEVEL) -> Interval:
        """Two-sided t-interval."""
        half = self.half_width(level)
        return Interval(self.mean - half, self.mean + half)

    def half_width(self, level: float = LEVEL) -> float:
        """Half the width of the t-interval."""
        return _quantile(0.5 + level / 2.0, self.dof) * self.se

    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that it is 0; of a difference, Welch's test."""
        if self.se == 0.0:
            return 1.0 if self.mean == 0.0 else 0.0
        return 2.0 * _share_below(-abs(self.mean) / self.se, self.dof)

    def __sub__(self, other: Estimate) -> Estimate:
        """The difference of two independent estimates, with Welch's degrees of freedom."""
        return Estimate(self.mean - other.mean, *_joint([(self.se, self.dof), (other.se, other.dof)]))


class Summary(NamedTuple):
    """What there is to say of the returns of one kind of episode.

    Attributes:
        size: N.
        mean: of the N.
        sd: their standard deviation, with N - 1.
    """

    size: int
    mean: float
    sd: float

    @property
    def se(self) -> float:
        """Standard error of the mean."""
        return self.sd / math.sqrt(self.size)

    @property
    def estimate(self) -> Estimate:
        """The mean as an estimate."""
        return Estimate(self.mean, self.se, self.size - 1)


def summarize(values: Values) -> Summary:
    """Mean and standard deviation.

    Args:
        values: (N,) numbers, N >= 2.

    Raises:
        ValueError: there are fewer than two.
    """
    array = _sample(values)
    return Summary(len(array), float(array.mean()), float(array.std(ddof=1)))


def sum_of_means(summaries: Sequence[Summary]) -> Estimate:
    """The sum of the means of independent samples, with the degrees of freedom after Welch and Satterthwaite."""
    return Estimate(sum(one.mean for one in summaries), *_joint([(one.se, one.size - 1) for one in summaries]))


class Equivalence(NamedTuple):
    """Two one-sided tests (TOST) of whether two means are the same but for a margin.

    Attributes:
        difference: first minus second, with its standard error.
        margin: the largest difference that counts as none.
        p_value: the larger of the two one-sided p-values; below alpha the means are equivalent.
        interval: of the difference, at the level 1 - 2 alpha: within the margin exactly where the test rejects.
        power: chance that means which do not differ at all are found equivalent with so much data.
        verdict: "equivalent"; "different" where the interval lies beyond the margin; else "undecided".
    """

    difference: Estimate
    margin: float
    p_value: float
    interval: Interval
    power: float
    verdict: str


def equivalence(first: Estimate, second: Estimate, margin: float, alpha: float = ALPHA) -> Equivalence:
    """Test whether two independent means differ by less than a margin, by Welch's t.

    Args:
        first: a mean.
        second: another.
        margin: above 0, stated before the data are seen.
        alpha: level of each of the two one-sided tests.

    Raises:
        ValueError: the margin is not above 0.
    """
    if not margin > 0.0:
        raise ValueError(f"expected a margin above 0, got {margin}")
    difference = first - second
    interval = difference.interval(1.0 - 2.0 * alpha)
    if difference.se == 0.0:
        p_value = 0.0 if abs(difference.mean) < margin else 1.0
        power = 1.0
    else:
        distance = (margin - abs(difference.mean)) / difference.se
        p_value = _share_below(-distance, difference.dof)
        room = margin / difference.se - _quantile(1.0 - alpha, difference.dof)
        power = max(0.0, 2.0 * _share_below(room, difference.dof) - 1.0)
    if interval.low > -margin and interval.high < margin:
        verdict = "equivalent"
    elif interval.low >= margin or interval.high <= -margin:
        verdict = "different"
    else:
        verdict = "undecided"
    return Equivalence(difference, margin, p_value, interval, power, verdict)


def episodes_for_power(first_sd: float, second_sd: float, margin: float, power: float = POWER) -> int:
    """Episodes on each side with which means that do not differ are found equivalent with this chance (normal theory).

    Args:
        first_sd: standard deviation of an episode's return on one side.
        second_sd: on the other.
        margin: of `equivalence`.
        power: the chance.
    """
    reach = _quantile(1.0 - ALPHA, math.inf) + _quantile((1.0 + power) / 2.0, math.inf)
    return max(2, math.ceil((first_sd**2 + second_sd**2) * (reach / margin) ** 2))


def bootstrap_difference(
    first: Values, second: Values, level: float = LEVEL, resamples: int = BOOTSTRAP_RESAMPLES, seed: int = 0
) -> Interval:
    """Interval for the difference of two independent means, by the bias-corrected and accelerated bootstrap.

    Args:
        first: (N,) numbers, N >= 2.
        second: (M,) numbers, M >= 2.
        level: of the interval.
        resamples: drawn from each.
        seed: decides them.

    Raises:
        ValueError: there are fewer than two of either.
    """
    a, b = _sample(first), _sample(second)
    if np.ptp(a) == 0.0 and np.ptp(b) == 0.0:  # every resample is the same, which leaves nothing to correct
        return Interval(float(a[0] - b[0]), float(a[0] - b[0]))
    from scipy import stats

    result = stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        confidence_level=level,
        n_resamples=resamples,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(result.confidence_interval.low), float(result.confidence_interval.high))


def cohens_d(first: Values, second: Values) -> float:
    """Difference of the means in units of the pooled standard deviation; infinite where neither sample varies.

    Raises:
        ValueError: there are fewer than two of either.
    """
    a, b = _sample(first), _sample(second)
    difference = float(a.mean() - b.mean())
    dof = len(a) + len(b) - 2
    pooled = math.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / dof)
    if pooled == 0.0:
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / pooled


def hedges_g(first: Values, second: Values) -> float:
    """`cohens_d` with Hedges' exact correction for its bias in small samples."""
    dof = len(_sample(first)) + len(_sample(second)) - 2
    correction = math.exp(math.lgamma(dof / 2.0) - math.lgamma((dof - 1) / 2.0)) / math.sqrt(dof / 2.0)
    return correction * cohens_d(first, second)


def probability_of_superiority(first: Values, second: Values) -> float:
    """Chance that a value of the first sample exceeds one of the second, ties counting half."""
    from scipy import stats

    a, b = _sample(first), _sample(second)
    return float(stats.mannwhitneyu(a, b, method="asymptotic").statistic) / (len(a) * len(b))


def _joint(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Standard error and degrees of freedom of a sum or difference, from those of its independent parts."""
    variance = sum(se**2 for se, _ in parts)
    spread = sum(se**4 / dof for se, dof in parts)
    return math.sqrt(variance), variance**2 / spread if spread > 0.0 else math.inf


def _share_below(value: float, dof: float) -> float:
    """Of Student's t distribution; of the normal one with infinite degrees of freedom."""
    from scipy import special

    return float(special.stdtr(dof, value))


def _quantile(probability: float, dof: float) -> float:
    """The value that has such a share below."""
    from scipy import special

    return float(special.stdtrit(dof, probability))


def _sample(values: Values) -> npt.NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"expected at least two numbers in one row, got shape {array.shape}")
    return array
