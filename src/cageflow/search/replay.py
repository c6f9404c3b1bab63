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
from cageflow.search.landscape import Landscape
from cageflow.search.trial import TrialResult
from cageflow.workflow.orders import NUM_ORDERS, Order, order_id

Floats = NDArray[np.float64]

FEASIBLE_SHARE = 0.5
"""An order is feasible if at least this share of its trainings reached the compliance threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the orders are worth in one repetition.

    Attributes:
        reward: (120,) true reward of each order, the mean of all trainings that it might have.
        feasible: (120,) bool, whether the order can be followed.
    """

    reward: Floats
    feasible: NDArray[np.bool_]

    @property
    def worth(self) -> Floats:
        """(120,) the true reward; an order that is not feasible is of no use, and counts as the worst that is."""
        return np.where(self.feasible, self.reward, self.reward[self.feasible].min())

    @property
    def best(self) -> float:
        """The greatest true reward of a feasible order."""
        return float(self.reward[self.feasible].max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A complete landscape of S trainings an order, as arrays; made by `of`.

    The model behind it: reward of a training = true reward of the order + noise, the noise alike for all orders that
    are feasible, and for all that are not. True rewards of each of the two groups are taken for draws from one Normal
    distribution whose mean and variance are estimated from the landscape (empirical Bayes). It knows nothing of which
    orders are neighbours, so it favours no kernel and no strategy.

    Attributes:
        reward: (120, S) rewards.
        reward_se: (120, S) their standard errors.
        compliance: (120, S) compliances.
        compliance_se: (120, S) their standard errors.
        episodes: (120, S) int64, episodes trained.
        feasible: (120,) bool.
        mean: (120,) posterior mean of each order's true reward: the mean of its trainings, shrunk to that of its group.
        std: (120,) its posterior standard deviation.
        noise: (120, R) what a training's reward may deviate from the true one, each alike likely: the residuals of the
            order's group, widened for the mean that was taken from them. They hold evaluation noise, too.
    """

    reward: Floats
    reward_se: Floats
    compliance: Floats
    compliance_se: Floats
    episodes: NDArray[np.int64]
    feasible: NDArray[np.bool_]
    mean: Floats
    std: Floats
    noise: tuple[Floats, ...]

    @classmethod
    def of(cls, landscape: Landscape, compliance_threshold: float) -> "Replay":
        """Estimate what a landscape tells.

        With one training an order nothing tells how much trainings differ: the noise is then that of their evaluation.

        Raises:
            UserError: some order lacks a training, or none is feasible.
        """
        if not landscape.is_complete:
            missing = NUM_ORDERS * len(landscape.seeds) - len(landscape.rows)
            raise UserError(
                f"the landscape is not complete: of {NUM_ORDERS} orders with {len(landscape.seeds)} trainings "
                f"each, {missing} trainings are missing"
            )
        tables = {name: np.empty((NUM_ORDERS, len(landscape.seeds))) for name in _COLUMNS}
        for row in landscape.rows:
            for name in _COLUMNS:
                tables[name][order_id(row.order), landscape.seeds.index(row.seed)] = getattr(row, name)
        feasible = (tables["compliance"] >= compliance_threshold).mean(axis=1) >= FEASIBLE_SHARE
        if not feasible.any():
            raise UserError(
                f"no order of the landscape reaches a compliance of {compliance_threshold}: there is nothing to find"
            )
        mean, std = np.empty(NUM_ORDERS), np.empty(NUM_ORDERS)
        noise: list[Floats] = [np.zeros(0)] * NUM_ORDERS
        for group in (np.flatnonzero(feasible), np.flatnonzero(~feasible)):
            if len(group):
                mean[group], std[group], residuals = _shrink(tables["reward"][group], tables["reward_se"][group])
                for order in group:
                    noise[order] = residuals
        return cls(
            reward=tables["reward"],
            reward_se=tables["reward_se"],
            compliance=tables["compliance"],
            compliance_se=tables["compliance_se"],
            episodes=tables["episodes"].astype(np.int64),
            feasible=feasible,
            mean=mean,
            std=std,
            noise=tuple(noise),
        )

    def draw_truth(self, rng: np.random.Generator) -> Truth:
        """One truth that the landscape leaves possible, orders independent of one another."""
        return Truth(reward=self.mean + self.std * rng.standard_normal(NUM_ORDERS), feasible=self.feasible)

    def trial(
        self, truth: Truth, order: Order, earlier: Sequence[TrialResult], rng: np.random.Generator
    ) -> TrialResult:
        """One more trial of an order: a training from scratch, whatever was trained before.

        Its compliance and its standard errors are those of one of the order's trainings in the landscape; its reward is
        the true one and a deviation of `noise`.

        Args:
            truth: of this repetition.
            order: to be tried.
            earlier: the trials before it, which only its count of episodes needs.
            rng: the only source of chance; two draws.
        """
        i = order_id(order)
        seed = rng.integers(self.reward.shape[1])
        deviation = self.noise[i][rng.integers(len(self.noise[i]))]
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


def _shrink(rewards: Floats, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """Posterior means and deviations of the true rewards of a group of orders, and the residuals of its trainings.

    One-way analysis of variance with random effects: the variance between orders is that of their means less what the
    differences between trainings contribute.

    Args:
        rewards: (G, S) rewards of the group's trainings.
        errors: (G, S) their standard errors.
    """
    num_orders, num_seeds = rewards.shape
    means = rewards.mean(axis=1)
    if num_seeds > 1:
        residuals = ((rewards - means[:, None]) * np.sqrt(num_seeds / (num_seeds - 1))).ravel()
    else:
        # Two points have the deviation of the standard error, which is all that is known.
        residuals = np.concatenate([errors.ravel(), -errors.ravel()])
    within = float((residuals**2).mean()) / num_seeds
    between = max(float(means.var(ddof=1)) - within, 0.0) if num_orders > 1 else 0.0
    kept = between / (between + within) if between > 0 else float(num_orders == 1)
    posterior = means.mean() + kept * (means - means.mean())
    return posterior, np.full(num_orders, np.sqrt(kept * within)), residuals
