"""The two kinds of run, a search and a single training: the trainer, the folder and the reporter joined."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from cageflow.collect import CollectError, Collector, make_collector
from cageflow.errors import UserError
from cageflow.experiment.config import RunConfig, make_config, read_config
from cageflow.experiment.interrupt import RunFailedError, StopRequest, catching_signals
from cageflow.experiment.progress import Reporter
from cageflow.experiment.run_folder import (
    CONFIG,
    NETWORK,
    RunFolder,
    check_new,
    default_run_dir,
    load_state,
    order_text,
    save_state,
)
from cageflow.experiment.tensorboard import EventLog
from cageflow.experiment.trainer import Ending, PolicyTrainer, UpdateRecord, game_spec
from cageflow.files import write_whole
from cageflow.learn.policy_file import save_policy
from cageflow.learn.ppo import NonFiniteError
from cageflow.search import (
    Budget,
    Iteration,
    SearchResult,
    SearchState,
    StrategySettings,
    TrialRequest,
    TrialResult,
    best_trial,
    make_strategy,
    run_search,
)
from cageflow.workflow.orders import Order, order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How a run ended.

    Attributes:
        run_dir: its folder.
        workflow: the best workflow, or the one that was trained; None for plain PPO.
        feasible: whether its compliance reached the threshold.
        reward, reward_se, compliance: of fresh episodes; compliance is NaN for plain PPO.
        episodes: trained in all.
        trials: of a search.
        seconds: wall-clock time of this process's part of the run.
        episodes_here: trained in this process's part of the run.
        ending: why it ended.
        policy: the policy file.
    """

    run_dir: Path
    workflow: Order | None
    feasible: bool
    reward: float
    reward_se: float
    compliance: float
    episodes: int
    trials: int
    seconds: float
    episodes_here: int
    ending: str
    policy: Path


def search(config: RunConfig, run_dir: Path | None, reporter: Reporter) -> RunSummary:
    """Start a search in a new folder; see `_run`."""
    make_strategy(config.strategy, _settings(config))  # refuse before anything is written
    return _begin(config, run_dir, reporter)


def train(config: RunConfig, run_dir: Path | None, reporter: Reporter) -> RunSummary:
    """Start the training of one policy in a new folder; see `_run`."""
    return _begin(config, run_dir, reporter)


def resume(
    run_dir: Path, command: Literal["search", "train"], reporter: Reporter, total_episodes: int | None = None
) -> RunSummary:
    """Go on with a run that was stopped, as if it never had been; see `_run`.

    Args:
        run_dir: the folder of the run.
        command: what the user takes it for.
        reporter: who is told.
        total_episodes: a new budget for a search; None keeps the old one.

    Raises:
        UserError: the folder holds no run, or one of the other command, or the budget of a training is to change.
    """
    config = read_config(run_dir / CONFIG)
    if config.command != command:
        right = f"cageflow {config.command}"
        raise UserError(f"{run_dir} is a run of `{right}`: go on with `{right} --resume {shlex.quote(str(run_dir))}`")
    if total_episodes is not None and total_episodes != config.total_episodes:
        if config.command != "search":
            raise UserError("the episodes of a training cannot be changed: its schedules are stretched over them")
        config = make_config({**config.to_json(), "total_episodes": total_episodes})
    if config.scenario is not None:  # the file may have been moved or changed since
        config = config.model_copy(update={"scenario": str(run_dir / NETWORK)})
    return _run(config, run_dir, lambda: RunFolder.resume(run_dir), reporter)


def _begin(config: RunConfig, run_dir: Path | None, reporter: Reporter) -> RunSummary:
    path = run_dir or default_run_dir(config)
    check_new(path)
    return _run(config, path, lambda: (RunFolder.create(path, config), {}), reporter)


def _run(
    config: RunConfig,
    path: Path,
    open_folder: Callable[[], tuple[RunFolder, dict[str, Any]]],
    reporter: Reporter,
) -> RunSummary:
    """Run to the end. The folder is made or changed only when all that could be refused has been found in order.

    Args:
        config: of the run.
        path: of its folder.
        open_folder: opens the folder and gives the checkpoint, empty for a new run.
        reporter: who is told.

    Raises:
        UserError: the network, the device or CybORG cannot be had, or the checkpoint does not fit the configuration.
        RunStoppedError: a signal asked for the end; the checkpoint is written.
        RunFailedError: learning broke down, workers died again and again, or the disk is full; the last checkpoint is
            intact.
    """
    torch.set_num_threads(config.num_threads)
    _ = config.game().network  # refused here if its file is wrong
    _check_device(config.device)
    _check_cyborg(config)
    advice = f"go on with `cageflow {config.command} --resume {shlex.quote(str(path))}`"
    with ExitStack() as closing, _telling_failures(path, advice), catching_signals(advice, reporter.stopping) as stop:
        closing.callback(reporter.close)
        collector = make_collector(config.collector, game_spec(config), config.n_workers)
        closing.callback(collector.close)
        folder, state = open_folder()
        closing.callback(folder.close)
        run = _Run(config=config, folder=folder, collector=collector, reporter=reporter, state=state, stop=stop)
        closing.callback(run.events.close)
        return run.search() if config.command == "search" else run.train()


@contextmanager
def _telling_failures(path: Path, advice: str) -> Iterator[None]:
    """Turn what can end a run, and is no fault of ours, into one sentence."""
    try:
        yield
    except (NonFiniteError, CollectError) as error:
        raise RunFailedError(f"{error}; what was done before is in {path}") from error
    except ConnectionError:  # no file, but who read our words, or a worker
        raise
    except OSError as error:
        where = error.filename or path
        raise RunFailedError(f"{where} cannot be written: {error.strerror}; mend that and {advice}") from error


@dataclass(kw_only=True)
class _Run:
    config: RunConfig
    folder: RunFolder
    reporter: Reporter
    state: dict[str, Any]
    collector: Collector
    stop: StopRequest
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.game = self.config.game()
        self.episodes_before = int(self.state.get("run_episodes", 0))
        saved = self.state.get("search")
        with _fitting(self.folder.path):
            self.search_state = SearchState(self.config.seed) if saved is None else SearchState.from_json(saved)
        self.events = EventLog(self.folder.path, self.episodes_before)

    # A search.

    def search(self) -> RunSummary:
        config = self.config
        self.reporter.start(
            f"Searching 120 workflows against {self.game.red_agent}, rules {self.game.rules}, seed {config.seed}: "
            f"{self.folder.path}",
            config.total_episodes,
            self.episodes_before,
        )
        result = run_search(
            self._run_trial,
            make_strategy(config.strategy, _settings(config)),
            Budget(episodes=config.total_episodes),
            seed=config.seed,
            history=self.search_state.history,
            on_iteration=self._end_iteration,
        )
        return self._search_summary(result)

    def _run_trial(self, request: TrialRequest) -> TrialResult:
        started = time.monotonic()
        trainer = self._trial_trainer(request)
        episodes_before = sum(trial.episodes for trial in self.search_state.history)
        ending = self._train(trainer, request.trial, episodes_before)
        trainer.close()
        evaluation = trainer.evaluate()
        save_state(self.folder.learner_path(request.order), {"ppo": trainer.ppo.state_dict()})
        save_policy(self.folder.policy_path(request.order), trainer.policy(request.trained_episodes + trainer.episodes))
        return TrialResult(
            order=request.order,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            compliance_se=evaluation.compliance_se,
            episodes=trainer.episodes,
            total_episodes=request.trained_episodes + trainer.episodes,
            ending=ending,
            seconds=time.monotonic() - started,
        )

    def _trial_trainer(self, request: TrialRequest) -> PolicyTrainer:
        """The trainer of a trial: new, with the order's own learner if it has one, or as the checkpoint left it."""
        cap = self.config.max_episodes_per_workflow
        left = cap if request.episodes_left is None else request.episodes_left
        trainer = PolicyTrainer(
            self.config,
            self.game,
            request.order,
            request.seed,
            max_episodes=min(cap, left),
            cap="budget" if left < cap else "episode-cap",
            collector=self.collector,
        )
        with _fitting(self.folder.path):
            if self.state.get("trial") == request.trial:
                trainer.load_state_dict(self.state["trainer"])
            elif request.trained_episodes > 0:
                trainer.ppo.load_state_dict(load_state(self.folder.learner_path(request.order))["ppo"])
        return trainer

    def _end_iteration(self, iteration: Iteration) -> None:
        self.search_state = iteration.state
        best, _ = best_trial(iteration.state.history, self.config.compliance_threshold)
        if best is iteration.result:  # its order may be trained on in a later trial, which writes another policy
            write_whole(self.folder.best_policy_path, self.folder.policy_path(best.order).read_bytes())
        self.folder.log_iteration(iteration)
        self.folder.checkpoint({"search": iteration.state.to_json(), "run_episodes": iteration.episodes})
        self.events.trial(iteration)
        self.reporter.trial(iteration)
        self.stop.check()

    def _search_summary(self, result: SearchResult) -> RunSummary:
        best = result.best
        return RunSummary(
            run_dir=self.folder.path,
            workflow=best.order,
            feasible=result.feasible,
            reward=best.reward,
            reward_se=best.reward_se,
            compliance=best.compliance,
            episodes=result.episodes,
            trials=len(result.state.history),
            seconds=time.monotonic() - self.started,
            episodes_here=result.episodes - self.episodes_before,
            ending=result.ending,
            policy=self.folder.best_policy_path,
        )

    # A single training.

    def train(self) -> RunSummary:
        config = self.config
        order = config.order()
        what = "plain PPO" if order is None else order_text(order)
        self.reporter.start(
            f"Training {what} against {self.game.red_agent}, rules {self.game.rules}, seed {config.seed}: "
            f"{self.folder.path}",
            config.total_episodes,
            self.episodes_before,
        )
        trainer = PolicyTrainer(
            config,
            self.game,
            order,
            config.seed,
            max_episodes=config.total_episodes,
            cap="budget",
            collector=self.collector,
        )
        if "trainer" in self.state:
            with _fitting(self.folder.path):
                trainer.load_state_dict(self.state["trainer"])
        ending = self._train(trainer, 0, 0)
        trainer.close()
        evaluation = trainer.evaluate()
        policy = self.folder.policy_path(order)
        save_policy(policy, trainer.policy(trainer.episodes))
        return RunSummary(
            run_dir=self.folder.path,
            workflow=order,
            feasible=order is None or evaluation.compliance >= config.compliance_threshold,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            episodes=trainer.episodes,
            trials=1,
            seconds=time.monotonic() - self.started,
            episodes_here=trainer.episodes - self.episodes_before,
            ending=ending,
            policy=policy,
        )

    # What both share.

    def _train(self, trainer: PolicyTrainer, trial: int, episodes_before: int) -> Ending:
        """Update until the training ends; after each update all is on disk."""
        ending = trainer.ending()
        while ending is None:
            try:
                record = trainer.update()
            except NonFiniteError as error:
                what = "plain PPO" if trainer.order is None else order_text(trainer.order)
                raise NonFiniteError(f"{what}: {error}") from error
            ending = trainer.ending()
            run_episodes = episodes_before + trainer.episodes
            self.folder.training.append([training_row(trainer.order, record, trial, run_episodes, ending)])
            self.folder.checkpoint(
                {
                    "search": self.search_state.to_json(),
                    "run_episodes": run_episodes,
                    "trial": trial,
                    "trainer": trainer.state_dict(),
                }
            )
            self.events.update(trainer.order, record, run_episodes)
            self.reporter.update(trainer.order, record, run_episodes)
            self.stop.check()
        return ending


def training_row(
    order: Order | None, record: UpdateRecord, trial: int, run_episodes: int, ending: Ending | None
) -> list[object]:
    """The line of one update in `training_log.csv`, in the order of TRAINING_COLUMNS."""
    stats = record.stats
    return [
        -1 if order is None else order_id(order),
        order_text(order),
        record.update,
        record.episodes,
        f"{record.env_reward:.4f}",
        f"{record.alignment:.4f}",
        f"{record.total_reward:.4f}",
        "" if order is None else f"{record.compliance:.4f}",
        "" if order is None else f"{record.fixes:.2f}",
        f"{record.collection_s:.4f}",
        f"{stats.seconds:.4f}",
        trial,
        run_episodes,
        f"{stats.policy_loss:.6g}",
        f"{stats.value_loss:.6g}",
        f"{stats.entropy:.6g}",
        f"{stats.approx_kl:.6g}",
        f"{stats.clip_fraction:.4f}",
        f"{stats.explained_variance:.4f}",
        f"{stats.grad_norm:.6g}",
        f"{stats.learning_rate:.6g}",
        stats.distinct_observations,
        ending or "",
    ]


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    """Turn the errors of a checkpoint of another shape into a sentence."""
    try:
        yield
    except UserError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise UserError(f"the checkpoint in {path} does not fit its {CONFIG}: {what}") from error


def _settings(config: RunConfig) -> StrategySettings:
    return StrategySettings(beta=config.beta, gate=config.gate, compliance_threshold=config.compliance_threshold)


def _check_device(name: str) -> None:
    """Refuse a torch device that is not there.

    Raises:
        UserError: it is unknown or cannot be used.
    """
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        available = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise UserError(f"device {name!r} cannot be used here: choose from {available}") from error


def _check_cyborg(config: RunConfig) -> None:
    """Refuse a CybORG that is not there or plays other rules, here and not in a worker.

    Raises:
        UserError: it is so.
    """
    if config.simulator != "cyborg":
        return
    from cageflow.envs.cyborg import cyborg_rules

    rules = cyborg_rules(config.cyborg_path)
    if rules != config.rules:
        raise UserError(
            f"CybORG in {config.cyborg_path} plays the rules {rules}, not {config.rules}: give --rules {rules}"
        )
