"""A landscape as a game to replay: what its orders may truly be worth, and trials that read it with its own noise.

Trainings of one order differ, and a landscape has few of each, so the order with the best mean owes part of it to luck.
To take the means for the truth would reward a strategy for finding the luckiest order. So each repetition of a replay
draws a truth that the landscape leaves possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cageflow.errors import UserError
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search.landscape import Landscape
from cageflow.search.trial import TrialResult

Floats = NDArray[np.float64]

FEASIBLE_SHARE = 0.5
"""An order is feasible if at least this share of its trainings reached the compliance threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the orders are worth in one repetition.

    Attributes:
        reward: (W,) true reward of each order, the mean of all trainings that it might have.
        feasible: (W,) bool, whether the order can be followed.
    """

    reward: Floats
    feasible: NDArray[np.bool_]

    @property
    def worth(self) -> Floats:
        """(W,) the true reward; an order that is not feasible is of no use, and counts as the worst that is."""
        return np.where(self.feasible, self.reward, self.reward[self.feasible].min())

    @property
    def best(self) -> float:
        """The greatest true reward of a feasible order."""
        return float(self.reward[self.feasible].max())


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGroup:
    """Orders whose true rewards are taken for draws from one Normal distribution, of unknown mean and variance.

    Attributes:
        ids: (G,) numbers of the orders.
        means: (G,) means of their trainings.
        error_variance: variance of such a mean around the true reward.
        noise: (R,) what a training's reward may deviate from the true one, each alike likely: the residuals of all
            trainings, widened for the means that were taken from them. They hold evaluation noise, too.
    """

    ids: NDArray[np.int64]
    means: Floats
    error_variance: float
    noise: Floats

    @classmethod
    def of(cls, ids: NDArray[np.int64], rewards: Floats, errors: Floats) -> "OrderGroup":
        """From the rewards (G, S) of its orders' trainings and their standard errors (G, S)."""
        num_seeds = rewards.shape[1]
        means = rewards.mean(axis=1)
        if num_seeds > 1:
            noise = ((rewards - means[:, None]) * np.sqrt(num_seeds / (num_seeds - 1))).ravel()
        else:
            noise = np.concatenate([errors.ravel(), -errors.ravel()])  # of the evaluation, which is all that is known
        return cls(ids=ids, means=means, error_variance=float((noise**2).mean()) / num_seeds, noise=noise)

    def draw(self, rng: np.random.Generator) -> Floats:
        """True rewards (G,) that the trainings leave possible.

        One-way analysis of variance with random effects, by Bayes: first the variance of the means, which holds that
        between orders and the error's (from its scaled inverse chi-squared posterior, as far as it is above the
        error's); then their centre; then each order, its mean shrunk to the centre.
        """
        from scipy.special import gammainc, gammaincinv  # a fifth of a second to load

        size = len(self.ids)
        if size == 1:
            return np.asarray(self.means + np.sqrt(self.error_variance) * rng.standard_normal(1))
        squares = float(((self.means - self.means.mean()) ** 2).sum())
        if squares == 0:
            return self.means.copy()
        shape = (size - 1) / 2
        most = gammainc(shape, squares / (2 * self.error_variance)) if self.error_variance > 0 else 1.0
        variance = squares / (2 * float(gammaincinv(shape, most * rng.uniform(1e-9, 1 - 1e-9))))
        kept = max(1 - self.error_variance / variance, 0.0)
        centre = self.means.mean() + np.sqrt(variance / size) * rng.standard_normal()
        deviations = np.sqrt(kept * self.error_variance) * rng.standard_normal(size)
        return np.asarray(centre + kept * (self.means - centre) + deviations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A complete landscape of S trainings an order, as arrays; made by `of`.

    The model behind it: reward of a training = true reward of the order + noise. Orders that are feasible are a group,
    and those that are not another. It knows nothing of which orders are neighbours, so it favours no kernel and no
    strategy.

    Attributes:
        space: the W orders.
        reward: (W, S) rewards.
        reward_se: (W, S) their standard errors.
        compliance: (W, S) compliances.
        compliance_se: (W, S) their standard errors.
        episodes: (W, S) int64, episodes trained.
        feasible: (W,) bool.
        groups: the one or two groups.
    """

    space: OrderSpace
    reward: Floats
    reward_se: Floats
    compliance: Floats
    compliance_se: Floats
    episodes: NDArray[np.int64]
    feasible: NDArray[np.bool_]
    groups: tuple[OrderGroup, ...]

    @classmethod
    def of(cls, landscape: Landscape, compliance_threshold: float) -> "Replay":
        """Estimate what a landscape tells.

        With one training an order nothing tells how much trainings differ: the noise is then that of their evaluation.
        Of a landscape in rungs the last counts.

        Raises:
            UserError: some order lacks a training, or none is feasible.
        """
        landscape = landscape.full
        missing = len(landscape.space) * len(landscape.seeds) - len(landscape.rows)
        if missing and landscape.is_complete:
            raise UserError(
                f"the landscape has a sample of the {len(landscape.space):,} orders: what a strategy would have found "
                "among the others is not known, so it cannot be replayed"
            )
        if missing:
            raise UserError(
                f"the landscape is not complete: of {len(landscape.space)} orders with {len(landscape.seeds)} "
                f"trainings each, {missing} trainings are missing"
            )
        tables = {name: np.empty((len(landscape.space), len(landscape.seeds))) for name in _COLUMNS}
        for row in landscape.rows:
            for name in _COLUMNS:
                tables[name][landscape.space.rank(row.order), landscape.seeds.index(row.seed)] = getattr(row, name)
        feasible = (tables["compliance"] >= compliance_threshold).mean(axis=1) >= FEASIBLE_SHARE
        if not feasible.any():
            raise UserError(
                f"no order of the landscape reaches a compliance of {compliance_threshold}: there is nothing to find"
            )
        ids = [np.flatnonzero(mask) for mask in (feasible, ~feasible) if mask.any()]
        return cls(
            space=landscape.space,
            reward=tables["reward"],
            reward_se=tables["reward_se"],
            compliance=tables["compliance"],
            compliance_se=tables["compliance_se"],
            episodes=tables["episodes"].astype(np.int64),
            feasible=feasible,
            groups=tuple(OrderGroup.of(one, tables["reward"][one], tables["reward_se"][one]) for one in ids),
        )

    def draw_truth(self, rng: np.random.Generator) -> Truth:
        """One truth that the landscape leaves possible."""
        reward = np.empty(len(self.space))
        for group in self.groups:
            reward[group.ids] = group.draw(rng)
        return Truth(reward=reward, feasible=self.feasible)

    def trial(
        self, truth: Truth, order: Order, earlier: Sequence[TrialResult], rng: np.random.Generator
    ) -> TrialResult:
        """One more trial of an order: a training from scratch, whatever was trained before.

        Its compliance and its standard errors are those of one of the order's trainings in the landscape; its reward is
        the true one and a deviation of its group's noise.

        Args:
            truth: of this repetition.
            order: to be tried.
            earlier: the trials before it, which only its count of episodes needs.
            rng: the only source of chance; two draws.
        """
        i = self.space.rank(order)
        seed = rng.integers(self.reward.shape[1])
        noise = self.groups[0 if self.feasible[i] else -1].noise
        deviation = noise[rng.integers(len(noise))]
        episodes = int(self.episodes[i, seed])
        return TrialResult(
            order=order,
            reward=float(truth.reward[i] + deviation),
            reward_se=float(self.reward_se[i, seed]),
            compliance=float(self.compliance[i, seed]),
            compliance_se=float(self.compliance_se[i, seed]),
            episodes=episodes,
            total_episodes=episodes + sum(trial.episodes for trial in earlier if trial.order == order),
            ending="replay",
            seconds=0.0,
        )


_COLUMNS = ("reward", "reward_se", "compliance", "compliance_se", "episodes")
