"""One trial of a search or a landscape: an order trained and its policy judged.

`run_trial` is a function of its task alone: it reads no file of the run and writes none, so it gives the same outcome
in whatever process, on whatever machine it runs. It trains a part of the trial and hands back where it stands, so that
the search knows how far a trial has come, and a worker that dies takes no more than a part with it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cageflow.collect import RESUMED_EXACTLY, Collector, make_collector
from cageflow.envs.red_code import name_code
from cageflow.errors import UserError
from cageflow.learn.policy_file import dump_policy
from cageflow.learn.ppo import NonFiniteError
from cageflow.scenario.orders import Order, show_order
from cageflow.search import TrialRequest, TrialResult
from cageflow.settings.commands import PolicyConfig
from cageflow.training.state_file import dump_state, parse_state
from cageflow.training.trainer import Ending, PolicyTrainer, UpdateRecord, game_spec

OnUpdate = Callable[[PolicyTrainer, UpdateRecord, Ending | None], None]
"""Is told of each update: the trainer after it, what it did, and why the training ends with it, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTask:
    """All that a part of a trial needs, in plain data that can be sent to another machine.

    Attributes:
        config: of the run.
        request: the order, and how far to train it.
        learner: state of the learner that `request.start` names, as `dump_state` wrote it, or for a new training that
            of the run's own start; None to begin from scratch.
        network: content of the network file that `config.scenario` names; None for CAGE-2's own.
        trainer: state of the trial after the part before, as `dump_state` wrote it; None for the first part.
        seconds: that the parts before took.
    """

    config: PolicyConfig
    request: TrialRequest
    learner: bytes | None
    network: bytes | None
    trainer: bytes | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """All that a trial leaves behind.

    Attributes:
        result: for the search.
        learner: the state that a later trial can go on from, as `dump_state` writes it.
        policy: content of the policy file.
        threshold_episodes: episodes after which a batch first reached the compliance threshold; None if none did.
    """

    result: TrialResult
    learner: bytes
    policy: bytes
    threshold_episodes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPart:
    """What a part of a trial has come to.

    Attributes:
        order: the workflow that is trained.
        episodes: trained in the whole trial so far.
        updates: what each update of this part did.
        then: the task of the next part; None if the trial has ended.
        outcome: what it leaves behind; None if it goes on.
    """

    order: Order
    episodes: int
    updates: tuple[UpdateRecord, ...]
    then: TrialTask | None
    outcome: TrialOutcome | None


PART_EPISODES = 500
"""Episodes of a part: few enough that no core waits long for another's news, many enough that handing over is cheap."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A trial as a part of it has left it in this process.

    Attributes:
        task: of its next part.
        trainer: who goes on with that.
        collector: the trainer's.
    """

    task: TrialTask
    trainer: PolicyTrainer
    collector: Collector


_standing: list[_Standing] = []
"""The trial that this process has worked on last, if it goes on: whoever gets its next part need not begin anew."""


def run_trial(task: TrialTask, part_episodes: int = PART_EPISODES) -> TrialPart:
    """Run a part of a trial in this process, with a collector of its own.

    Args:
        task: what to do.
        part_episodes: after which it is handed back; a collector that plays ahead of its learner is not interrupted.

    Raises:
        NonFiniteError: learning broke down.
        WorkerError: workers died again and again.
        UserError: the learner does not fit the configuration, or CybORG is not there.
    """
    name_code(task.config.red_agent)  # in the process that has sent the task, which this one works for
    started = time.monotonic()
    updates: list[UpdateRecord] = []
    num_episodes = part_episodes if task.config.collector in RESUMED_EXACTLY else None
    outcome, then = None, None
    with _network_file(task) as config:
        trainer, collector = _standing_at(task) or _begin(task, config)
        try:
            ending = train_on(trainer, lambda trainer, record, ending: updates.append(record), num_episodes)
            if ending is None:
                state, seconds = dump_state(trainer.state_dict()), task.seconds + time.monotonic() - started
                then = replace(task, trainer=state, seconds=seconds)
                trainer.close()
                if config.collector == KEPT and task.network is None:
                    _standing.append(_Standing(then, trainer, collector))
            else:
                outcome = _end(task, trainer, ending, started)
        finally:
            if not _standing:
                collector.close()
    return TrialPart(
        order=task.request.order, episodes=trainer.trial_episodes, updates=tuple(updates), then=then, outcome=outcome
    )


KEPT = "vector"
"""The collector that is kept from part to part: it has no processes of its own."""


def _standing_at(task: TrialTask) -> tuple[PolicyTrainer, Collector] | None:
    """Who goes on with a trial where this process has left it; None where it has not, or has done something else since.

    It stands as its state says, so that nothing depends on who gets a part.
    """
    if not _standing:
        return None
    last = _standing.pop()
    if last.task == task:
        return last.trainer, last.collector
    last.collector.close()
    return None


def _begin(task: TrialTask, config: PolicyConfig) -> tuple[PolicyTrainer, Collector]:
    """Who takes a trial up from the state that its task says, or from its start."""
    collector = make_collector(config.collector, game_spec(config), config.n_workers)
    try:
        state = None if task.trainer is None else parse_state(task.trainer)
        return _start(task, config, collector, state), collector
    except BaseException:
        collector.close()
        raise


def train_trial(
    task: TrialTask,
    config: PolicyConfig,
    collector: Collector,
    on_update: OnUpdate,
    trainer_state: dict[str, Any] | None = None,
) -> TrialOutcome:
    """Run a trial to its end with a collector that is there already.

    Args:
        task: what to do.
        config: `task.config`, its network file where this machine has it.
        collector: who plays the episodes.
        on_update: is told of each update; what it raises ends the trial.
        trainer_state: of this trial when it was stopped; None begins it.
    """
    started = time.monotonic()
    trainer = _start(task, config, collector, trainer_state)
    return _end(task, trainer, train_to_the_end(trainer, on_update), started)


def _end(task: TrialTask, trainer: PolicyTrainer, ending: Ending, started: float) -> TrialOutcome:
    """Judge the policy of a trial that has ended."""
    trainer.close()
    evaluation = trainer.evaluate()
    total_episodes = task.request.trained_episodes + trainer.trial_episodes
    result = TrialResult(
        order=task.request.order,
        reward=evaluation.reward,
        reward_se=evaluation.reward_se,
        compliance=evaluation.compliance,
        compliance_se=evaluation.compliance_se,
        episodes=trainer.trial_episodes,
        total_episodes=total_episodes,
        ending=ending,
        seconds=task.seconds + time.monotonic() - started,
        training=task.request.training,
        **evaluation.tests.facts(),
    )
    return TrialOutcome(
        result=result,
        learner=dump_state({"ppo": trainer.ppo.state_dict()} if task.request.rung is None else trainer.state_dict()),
        policy=dump_policy(trainer.policy(total_episodes)),
        threshold_episodes=trainer.threshold_episodes,
    )


def train_to_the_end(trainer: PolicyTrainer, on_update: OnUpdate) -> Ending:
    """Update until the training ends.

    Raises:
        NonFiniteError: learning broke down; the message names the order.
    """
    ending = train_on(trainer, on_update, None)
    assert ending is not None, "it goes on to the end"
    return ending


def train_on(trainer: PolicyTrainer, on_update: OnUpdate, num_episodes: int | None) -> Ending | None:
    """Update until the training ends, or for so many more episodes; gives why it ended, None if it has not.

    Raises:
        NonFiniteError: learning broke down; the message names the order.
    """
    before, ending = trainer.episodes, trainer.ending()
    while ending is None and (num_episodes is None or trainer.episodes < before + num_episodes):
        try:
            record = trainer.update()
        except NonFiniteError as error:
            what = "plain PPO" if trainer.order is None else show_order(trainer.order)
            raise NonFiniteError(f"{what}: {error}") from error
        ending = trainer.ending()
        on_update(trainer, record, ending)
    return ending


def _start(
    task: TrialTask, config: PolicyConfig, collector: Collector, trainer_state: dict[str, Any] | None
) -> PolicyTrainer:
    """The trainer of a trial: as it stood, or new, with the order's own learner or with what another has learned.

    In rungs a training goes on as if it had never rested; else a trial of an order that was trained before is a
    training of its own that begins with the learner.
    """
    request = task.request
    if request.max_episodes is None:
        raise ValueError(f"trial {request.trial} has no bound on its episodes")
    trainer = PolicyTrainer(
        config,
        config.game(),
        request.order,
        request.seed,
        max_episodes=request.max_episodes if request.full_episodes is None else request.full_episodes,
        cap=request.cap,
        collector=collector,
        rung=request.rung,
    )
    if trainer_state is not None:
        trainer.load_state_dict(trainer_state)
    elif task.learner is not None:
        saved = parse_state(task.learner)
        try:
            if request.start != request.order:
                trainer.ppo.start_from(saved["ppo"])
            elif request.rung is None:
                trainer.ppo.load_state_dict(saved["ppo"])
            else:
                trainer.go_on(saved)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"the learner of an earlier trial does not fit: {error}") from error
    return trainer


@contextmanager
def _network_file(task: TrialTask) -> Iterator[PolicyConfig]:
    """The configuration with its network file on this machine, which may not be the one where the run began."""
    if task.network is None:
        yield task.config
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        path.write_bytes(task.network)
        yield task.config.model_copy(update={"scenario": str(path)})
