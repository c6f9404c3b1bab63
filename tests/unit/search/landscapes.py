"""Synthetic landscapes: the value of every order, and trials that read it with noise."""

from itertools import combinations

import numpy as np

from cageflow.search import Landscape, LandscapeRow, TrialNews, TrialRequest, TrialResult
from tests.helpers.orders import ALL_ORDERS, ORDERS, order_id


def pair_landscape(seed):
    """Reward (120,) that falls by a random weight for each pair of types ranked unlike in a hidden order."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 3.0, size=10)
    positions = np.argsort(np.asarray(ALL_ORDERS), axis=1)
    before = np.stack([positions[:, i] < positions[:, j] for i, j in combinations(range(5), 2)], axis=1)
    return -20.0 - (before != before[rng.integers(120)]) @ weights


class Trainer:
    """Stands for training: a trial reads the landscape; its noise is a function of the trial's seed alone.

    What came of it is told of the trial that began first, unless `last_first`. `episodes` may be a function of the
    request.
    """

    def __init__(self, rewards, compliances=None, noise=1.0, episodes=100, last_first=False):
        self.rewards = rewards
        self.compliances = np.ones(120) if compliances is None else compliances
        self.noise = noise
        self.episodes = episodes
        self.last_first = last_first
        self.requests = []
        self.waiting = []

    def submit(self, request: TrialRequest) -> None:
        self.waiting.append(request)

    def next_news(self) -> TrialNews:
        request = self.waiting.pop(-1 if self.last_first else 0)
        result = self(request)
        return TrialNews(request.trial, result.episodes, result)

    def __call__(self, request: TrialRequest) -> TrialResult:
        self.requests.append(request)
        i = order_id(request.order)
        episodes = self.episodes(request) if callable(self.episodes) else self.episodes
        episodes = episodes if request.max_episodes is None else min(episodes, request.max_episodes)
        noise = np.random.default_rng(request.seed).normal()
        return TrialResult(
            order=request.order,
            reward=float(self.rewards[i] + self.noise * noise),
            reward_se=self.noise,
            compliance=float(self.compliances[i]),
            compliance_se=0.01,
            episodes=episodes,
            total_episodes=request.trained_episodes + episodes,
            ending="patience",
            seconds=0.0,
        )


def landscape_table(rewards, compliances=None, *, seeds=3, training_sd=1.0, reward_se=0.3, seed=0):
    """A complete landscape whose trainings deviate from `rewards` (120,) by Normal noise."""
    rng = np.random.default_rng(seed)
    compliances = np.ones(120) if compliances is None else compliances
    return Landscape(
        ORDERS,
        tuple(
            LandscapeRow(
                order=order,
                seed=number,
                reward=float(rewards[i] + training_sd * rng.normal()),
                reward_se=reward_se,
                compliance=float(compliances[i]),
                compliance_se=0.003,
                episodes=1000,
                ending="episode-cap",
                threshold_episodes=None,
                seconds=1.0,
            )
            for number in range(1, seeds + 1)
            for i, order in enumerate(ALL_ORDERS)
        ),
    )


class CurveTrainer(Trainer):
    """Stands for training in rungs: each training has luck of its own, which its order's rewards are blurred by.

    Its reward rises to its end as 30 * exp(-episodes / 30) falls.
    """

    def __call__(self, request: TrialRequest) -> TrialResult:
        self.requests.append(request)
        i = order_id(request.order)
        luck = np.random.default_rng(request.seed).normal()
        judged = np.random.default_rng([request.seed, request.total_episodes]).normal()
        missing = 30 * np.exp(-request.total_episodes / 30)
        return TrialResult(
            order=request.order,
            reward=float(self.rewards[i] - missing + self.noise * (luck + 0.1 * judged)),
            reward_se=0.1 * self.noise,
            compliance=float(self.compliances[i]),
            compliance_se=0.01,
            episodes=request.max_episodes,
            total_episodes=request.total_episodes,
            ending="rung",
            seconds=0.0,
            training=request.training,
        )
