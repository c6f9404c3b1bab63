"""The final training of a search: the order that it recommends is trained on with the episodes that were kept back.

It is a run of `cageflow train` in the search's own folder that begins with the learner of the recommended training.
When it has ended, its policy takes the place of the one that the search left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cageflow.analysis.beside import KINDS, final_path
from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import dump_policy, load_policy
from cageflow.runs import runs
from cageflow.runs.checkpoint import read_checkpoint
from cageflow.runs.interrupt import catching_signals
from cageflow.runs.layout import CHECKPOINT, with_kept_files
from cageflow.runs.progress import Reporter
from cageflow.runs.recommendation import FinalTraining, SavedRecommendation, read_recommendation, write_recommendation
from cageflow.runs.run_folder import read_settings
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import format_order
from cageflow.settings.commands import SearchConfig, TrainConfig
from cageflow.studies.beside import config_beside, go_on_by, with_free_cores
from cageflow.studies.early import EarlyTrainings
from cageflow.studies.training import Training, carry_through, whole_budget
from cageflow.training.learners import Learners
from cageflow.training.trainer import FreshEvaluation


def train_final(
    searched: RunSummary, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None
) -> RunSummary:
    """Train on what a search that has ended recommends, or go on with that, and make its policy the run's.

    Args:
        searched: how the search ended.
        make_reporter: makes who is told.
        cyborg_path: folder of CybORG, where the search played there.

    Returns:
        How the run has ended with it; `searched` where nothing was kept back.

    Raises:
        UserError: something in the folder is not as it was written.
        RunStoppedError: a signal asked for the end.
        RunFailedError: learning broke down, or the disk is full.
    """
    path = searched.run_dir
    config = with_kept_files(read_settings(path), path)
    if not isinstance(config, SearchConfig) or not config.final_episodes:
        return searched
    recommended = read_recommendation(path)
    if recommended is None:
        raise UserError(f"{path} recommends no order yet: go on with the search first")
    advice = go_on_by(config, path)
    folder = final_path(path, searched.episodes, config.final_episodes)
    with (
        runs.telling_failures(path, advice),
        catching_signals(advice, lambda words: make_reporter().stopping(words)) as stop,
    ):
        own = with_free_cores(config, final_config(config, recommended, path, cyborg_path))
        kinds = () if Training(own, folder).is_finished else KINDS
        with EarlyTrainings(config, kinds) as early:
            early.begin(path)
            trained = carry_through(own, folder, make_reporter(), stop)
        assert trained.tests is not None, "it follows a workflow"
        evaluation = FreshEvaluation(
            reward=trained.reward,
            reward_se=trained.reward_se,
            compliance=trained.compliance,
            compliance_se=trained.compliance_se,
            episodes=config.evaluation_episodes,
            tests=trained.tests,
        )
        write_whole(searched.policy, _whole_policy(trained.policy, recommended.training_episodes))
        final = FinalTraining(after=searched.episodes, episodes=trained.episodes, evaluation=evaluation)
        write_recommendation(path, replace(recommended, final=final))
    return replace(
        searched,
        feasible=trained.feasible,
        reward=trained.reward,
        reward_se=trained.reward_se,
        compliance=trained.compliance,
        tests=trained.tests,
        episodes=searched.episodes + trained.episodes,
        episodes_here=searched.episodes_here + trained.episodes_here,
        seconds=searched.seconds + trained.seconds,
        final_episodes=trained.episodes,
        before_final=recommended.evaluation,
    )


def final_config(
    config: SearchConfig, recommended: SavedRecommendation, path: Path, cyborg_path: str | None = None
) -> TrainConfig:
    """The training of the order that a search in a folder recommends, which nothing but its budget ends."""
    state, _ = read_checkpoint(path, config.logs)
    orders = config.game().network.orders
    learner = Learners(path / CHECKPOINT, orders, state.get("learners")).file_of(
        recommended.order, recommended.training
    )
    key = (orders.rank(recommended.order), recommended.training, SEED_PURPOSE)
    seed = int(np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=key)).integers(2**63))
    changes = {
        **whole_budget(config.final_episodes),
        "workflow": format_order(recommended.order),
        "start_from": str(learner),
        "seed": seed,
        "cyborg_path": cyborg_path,
    }
    return config_beside(config, changes)


SEED_PURPOSE = 3
"""Of the seed, beside those of `search.loop`: its games are others than those of every trial."""


def _whole_policy(path: Path, episodes_before: int) -> bytes:
    """The content of a policy's file, the episodes of the training that it went on from counted among its own."""
    policy = load_policy(path)
    card = replace(policy.card, training_episodes=policy.card.training_episodes + episodes_before)
    return dump_policy(Policy(card, policy.layers, policy.order_encoding))
