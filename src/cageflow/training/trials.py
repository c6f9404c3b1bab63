"""One trial of a search or a landscape: an order trained and its policy judged.

`run_trial` is a function of its task alone: it reads no file of the run and writes none, so it gives the same outcome
in whatever process, on whatever machine it runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cageflow.collect import Collector, make_collector
from cageflow.errors import UserError
from cageflow.learn.policy_file import dump_policy
from cageflow.learn.ppo import NonFiniteError
from cageflow.scenario.orders import show_order
from cageflow.search import TrialRequest, TrialResult
from cageflow.settings.config import RunConfig
from cageflow.training.state_file import dump_state, parse_state
from cageflow.training.trainer import Ending, PolicyTrainer, UpdateRecord, game_spec

OnUpdate = Callable[[PolicyTrainer, UpdateRecord, Ending | None], None]
"""Is told of each update: the trainer after it, what it did, and why the training ends with it, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTask:
    """All that a trial needs, in plain data that can be sent to another machine.

    Attributes:
        config: of the run.
        request: the order, and how far to train it.
        learner: state of the learner that `request.start` names, as `dump_state` wrote it, or for a new training that
            of the run's own start; None to begin from scratch.
        network: content of the network file that `config.scenario` names; None for CAGE-2's own.
    """

    config: RunConfig
    request: TrialRequest
    learner: bytes | None
    network: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """All that a trial leaves behind.

    Attributes:
        result: for the search.
        learner: the state that a later trial can go on from, as `dump_state` writes it.
        policy: content of the policy file.
        threshold_episodes: episodes after which a batch first reached the compliance threshold; None if none did.
        updates: what each update did; empty where they were told as they happened.
    """

    result: TrialResult
    learner: bytes
    policy: bytes
    threshold_episodes: int | None
    updates: tuple[UpdateRecord, ...]


def run_trial(task: TrialTask) -> TrialOutcome:
    """Run a trial in this process, with a collector of its own.

    Raises:
        NonFiniteError: learning broke down.
        CollectError: workers died again and again.
        UserError: the learner does not fit the configuration, or CybORG is not there.
    """
    torch.set_num_threads(task.config.num_threads)
    updates: list[UpdateRecord] = []
    with _network_file(task) as config:
        collector = make_collector(config.collector, game_spec(config), config.n_workers)
        try:
            outcome = train_trial(task, config, collector, lambda trainer, record, ending: updates.append(record))
        finally:
            collector.close()
    return replace(outcome, updates=tuple(updates))


def train_trial(
    task: TrialTask,
    config: RunConfig,
    collector: Collector,
    on_update: OnUpdate,
    trainer_state: dict[str, Any] | None = None,
) -> TrialOutcome:
    """Run a trial with a collector that is there already.

    Args:
        task: what to do.
        config: `task.config`, its network file where this machine has it.
        collector: who plays the episodes.
        on_update: is told of each update; what it raises ends the trial.
        trainer_state: of this trial when it was stopped; None begins it.
    """
    started = time.monotonic()
    request = task.request
    trainer = _start(task, config, collector)
    if trainer_state is not None:
        trainer.load_state_dict(trainer_state)
    ending = train_to_the_end(trainer, on_update)
    trainer.close()
    evaluation = trainer.evaluate()
    total_episodes = request.trained_episodes + trainer.episodes
    result = TrialResult(
        order=request.order,
        reward=evaluation.reward,
        reward_se=evaluation.reward_se,
        compliance=evaluation.compliance,
        compliance_se=evaluation.compliance_se,
        episodes=trainer.episodes,
        total_episodes=total_episodes,
        ending=ending,
        seconds=time.monotonic() - started,
    )
    return TrialOutcome(
        result=result,
        learner=dump_state({"ppo": trainer.ppo.state_dict()}),
        policy=dump_policy(trainer.policy(total_episodes)),
        threshold_episodes=trainer.threshold_episodes,
        updates=(),
    )


def train_to_the_end(trainer: PolicyTrainer, on_update: OnUpdate) -> Ending:
    """Update until the training ends.

    Raises:
        NonFiniteError: learning broke down; the message names the order.
    """
    ending = trainer.ending()
    while ending is None:
        try:
            record = trainer.update()
        except NonFiniteError as error:
            what = "plain PPO" if trainer.order is None else show_order(trainer.order)
            raise NonFiniteError(f"{what}: {error}") from error
        ending = trainer.ending()
        on_update(trainer, record, ending)
    return ending


def _start(task: TrialTask, config: RunConfig, collector: Collector) -> PolicyTrainer:
    """The trainer of a trial: new, with the order's own learner, or with what another learner has learned."""
    request = task.request
    if request.max_episodes is None:
        raise ValueError(f"trial {request.trial} has no bound on its episodes")
    trainer = PolicyTrainer(
        config,
        config.game(),
        request.order,
        request.seed,
        max_episodes=request.max_episodes,
        cap=request.cap,
        collector=collector,
    )
    if task.learner is not None:
        saved = parse_state(task.learner)["ppo"]
        try:
            if request.start == request.order:
                trainer.ppo.load_state_dict(saved)
            else:
                trainer.ppo.start_from(saved)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"the learner of an earlier trial does not fit: {error}") from error
    return trainer


@contextmanager
def _network_file(task: TrialTask) -> Iterator[RunConfig]:
    """The configuration with its network file on this machine, which may not be the one where the run began."""
    if task.network is None:
        yield task.config
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        path.write_bytes(task.network)
        yield task.config.model_copy(update={"scenario": str(path)})
