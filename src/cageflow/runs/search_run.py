"""The runs that train many orders: `cageflow search`, and `cageflow landscape`, a search that leaves none out."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cageflow.collect import Collector, make_collector
from cageflow.files import read_whole, write_whole
from cageflow.learn.policy_file import load_policy
from cageflow.runs.interrupt import StopRequest
from cageflow.runs.layout import RECOMMENDATION
from cageflow.runs.open_run import OpenRun
from cageflow.runs.recommendation import SavedRecommendation, write_recommendation
from cageflow.runs.summary import RunSummary
from cageflow.scenario.orders import Order
from cageflow.search import (
    History,
    Iteration,
    LandscapeRow,
    Launch,
    Recommendation,
    SearchState,
    TrialNews,
    TrialRequest,
    TrialResult,
    best_trial,
    run_search,
)
from cageflow.search.rungs import at_the_furthest
from cageflow.settings.commands import TrialsConfig
from cageflow.training.learners import Learners
from cageflow.training.measured import measure_afresh
from cageflow.training.trainer import Ending, PolicyTrainer, UpdateRecord, game_spec
from cageflow.training.trials import TrialOutcome, TrialPart, TrialTask, train_trial
from cageflow.work.pool import Pool


class TaskRunner(Protocol):
    """Runs trials, here or elsewhere."""

    def submit(self, task: TrialTask) -> None:
        """Have a trial run."""

    def next_part(self) -> tuple[int, TrialPart]:
        """Wait until one of them is told of: the number of its trial, and what has come of a part of it."""


class SearchRun:
    """A search or a landscape in its folder; the search's `TrialRunner`.

    Args:
        run: open.
        collector: who plays the episodes of trials that run one after the other in this process; None with a pool.
        pool: who runs the trials elsewhere; None with a collector.

    Trials elsewhere are on disk when they end, those here after each update.
    """

    def __init__(
        self,
        run: OpenRun[TrialsConfig],
        collector: Collector | None,
        pool: Pool[TrialTask, TrialPart] | None,
    ) -> None:
        self._run = run
        network = run.config.game().network
        self._network, self._orders = network.fingerprint, network.orders
        with run.folder.fitting():
            saved = run.state.get("search")
            self._state = SearchState(run.config.seed) if saved is None else SearchState.from_json(saved)
            self._learners = Learners(run.folder.checkpoint_path, self._orders, run.state.get("learners"))
        self._updates: dict[int, list[UpdateRecord]] = {}  # of trials elsewhere, until they end
        self._outcomes: dict[int, TrialOutcome] = {}
        self._requests: dict[int, TrialRequest] = {}  # of the trials under way
        self._runner: TaskRunner
        if pool is not None:
            self._runner = _Elsewhere(pool, run.stop)
        elif collector is not None:
            self._runner = _Here(collector, run.state, self._end_update)
        else:
            raise ValueError("expected a collector or a pool, got neither")

    def run(self) -> RunSummary:
        """Search to the end."""
        started = time.monotonic()
        config = self._run.config
        self._run.reporter.start(
            f"{config.doing} {config.how_many()} workflows {config.game_in_words()}: {self._run.folder.path}",
            config.episodes_of_trials,
            self._run.episodes_before,
        )
        result = run_search(
            self,
            config.find_strategy(),
            config.budget(),
            state=self._state,
            parallel=config.parallel_workflows,
            start=config.find_start(),
            on_launch=self._begin_trial,
            on_iteration=self._end_trial,
        )
        recommendation = self._recommend(result.recommended)
        evaluation = recommendation.evaluation
        return RunSummary(
            run_dir=self._run.folder.path,
            workflow=recommendation.order,
            feasible=recommendation.feasible,
            reward=evaluation.reward,
            reward_se=evaluation.reward_se,
            compliance=evaluation.compliance,
            compliance_se=evaluation.compliance_se,
            episodes=result.episodes,
            trials=len(result.state.history),
            seconds=time.monotonic() - started,
            episodes_here=result.episodes - self._run.episodes_before,
            ending=result.ending,
            policy=self._run.folder.best_policy_path,
            tests=evaluation.tests,
            belief=recommendation.belief,
        )

    def _recommend(self, found: Recommendation) -> SavedRecommendation:
        """Measure the policy of the recommended training afresh, and keep both as the run's best."""
        config, folder, trial = self._run.config, self._run.folder, found.trial
        path = self._policy_path(trial)
        policy = load_policy(path)
        with closing(make_collector(config.collector, game_spec(config), config.n_workers)) as collector:
            evaluation = measure_afresh(policy, trial.order, config, collector)
        recommendation = SavedRecommendation(
            order=trial.order,
            training=trial.training,
            training_episodes=policy.card.training_episodes,
            feasible=found.feasible,
            belief=found.belief,
            evaluation=evaluation,
        )
        write_whole(folder.best_policy_path, read_whole(path))
        write_recommendation(folder.path, recommendation)
        return recommendation

    # What the search asks for.

    def submit(self, request: TrialRequest) -> None:
        """Have a trial run."""
        folder = self._run.folder
        self._requests[request.trial] = request
        learner = folder.start() if request.start is None else self._learners.start_of(request)
        self._runner.submit(
            TrialTask(config=self._run.config, request=request, learner=learner, network=folder.network())
        )

    def next_news(self) -> TrialNews:
        """Wait for news of a trial, and keep what it has done until it is its turn to end."""
        trial, part = self._runner.next_part()
        self._updates.setdefault(trial, []).extend(part.updates)
        if part.updates:
            known = sum(updates[-1].episodes for updates in self._updates.values())
            done = sum(result.episodes for result in self._state.history)
            self._run.reporter.update(part.order, part.updates[-1], done + known)
        result = None
        if part.outcome is not None:
            self._outcomes[trial] = part.outcome
            result = part.outcome.result
        return TrialNews(trial, part.episodes, result)

    # What happens on the way.

    def _end_update(self, trial: int, trainer: PolicyTrainer, record: UpdateRecord, ending: Ending | None) -> None:
        """Log an update of a trial in this process, and have it on disk before the next if a checkpoint is due."""
        order = trainer.order
        run_episodes = self._log_update(order, record, trial, ending)
        written = self._run.checkpoint_if_due(
            lambda: {**self._standing(run_episodes), "trial": trial, "trainer": trainer.state_dict()},
            at_end=ending is not None,
        )
        self._run.reporter.update(order, record, run_episodes)
        if written:
            self._run.stop.check()

    def _begin_trial(self, launch: Launch) -> None:
        if (self._run.folder.path / RECOMMENDATION).exists():  # the search goes on with more episodes
            leader = self._leader(launch.state.history)
            write_whole(self._run.folder.best_policy_path, read_whole(self._policy_path(leader)))
            (self._run.folder.path / RECOMMENDATION).unlink()
        self._state = launch.state
        if launch.choice.acquisition is not None:
            tried = [trial.order for trial in launch.state.history]
            self._run.folder.logs.acquisition(launch.request.trial, launch.choice.acquisition, tried)
        self._run.reporter.launch([trial.request.order for trial in launch.state.pending])

    def _end_trial(self, iteration: Iteration) -> None:
        trial, result = iteration.request.trial, iteration.result
        outcome, updates = self._outcomes.pop(trial), self._updates.pop(trial)
        for record in updates:
            self._log_update(result.order, record, trial, result.ending if record is updates[-1] else None)
        del self._requests[trial]
        if self._run.config.trains_anew and result.total_episodes == self._run.config.ladder[-1]:
            self._learners.forget(iteration.request)  # nothing goes on from it
        else:
            self._learners.keep(iteration.request, outcome.learner)
        self._state = iteration.state
        history = iteration.state.history
        of_training = [one for one in history if (one.order, one.training) == (result.order, result.training)]
        if self._leader(of_training) is result:
            write_whole(self._policy_path(result), outcome.policy)
        if self._leader(history) is result:
            write_whole(self._run.folder.best_policy_path, outcome.policy)
        self._run.folder.logs.iteration(iteration)
        if self._run.config.trains_anew:
            self._run.folder.logs.landscape(self._landscape_row(iteration, outcome.threshold_episodes))
        self._run.folder.checkpoint(self._standing(iteration.episodes))
        self._learners.remove_others()
        self._run.events.trial(iteration)
        self._run.reporter.trial(iteration)
        self._run.stop.check()

    def _leader(self, history: History) -> TrialResult:
        """The best of trials as long as the search is under way, by what they came to."""
        config = self._run.config
        return best_trial(at_the_furthest(history) if config.ladder else history, config.compliance_threshold)[0]

    def _standing(self, run_episodes: int) -> dict[str, Any]:
        """The search as it stands, without the trial under way if there is one in this process."""
        return {"search": self._state.to_json(), "learners": self._learners.to_json(), "run_episodes": run_episodes}

    def _log_update(self, order: Order | None, record: UpdateRecord, trial: int, ending: str | None) -> int:
        """Write an update to the logs; gives the episodes of the run so far."""
        run_episodes = sum(result.episodes for result in self._state.history) + record.episodes
        request = self._requests[trial]
        self._run.folder.logs.update(
            order, record, trial, run_episodes, ending, request.training, request.trained_episodes
        )
        self._run.events.update(order, record, run_episodes)
        return run_episodes

    def _landscape_row(self, iteration: Iteration, threshold_episodes: int | None) -> LandscapeRow:
        result = iteration.result
        return LandscapeRow(
            order=result.order,
            seed=result.training,
            reward=result.reward,
            reward_se=result.reward_se,
            compliance=result.compliance,
            compliance_se=result.compliance_se or 0.0,
            episodes=result.total_episodes,
            ending=result.ending,
            threshold_episodes=threshold_episodes,
            seconds=result.seconds,
            network=self._network,
        )

    def _policy_path(self, result: TrialResult) -> Path:
        number = result.training if self._run.config.has_several or result.training > 1 else None
        return self._run.folder.policy_path(result.order, number)


class _Here:
    """Tasks one after the other in this process, each update told as it happens.

    Args:
        collector: who plays the episodes.
        state: checkpoint of the run; it may hold the trainer of the trial that was under way.
        end_update: is told of each update.
    """

    def __init__(
        self,
        collector: Collector,
        state: dict[str, Any],
        end_update: Callable[[int, PolicyTrainer, UpdateRecord, Ending | None], None],
    ) -> None:
        self._collector = collector
        self._state = state
        self._end_update = end_update
        self._tasks: list[TrialTask] = []

    def submit(self, task: TrialTask) -> None:
        """Keep a task until it is waited for."""
        self._tasks.append(task)

    def next_part(self) -> tuple[int, TrialPart]:
        """Run the oldest task to its end; its updates have been told."""
        task = self._tasks.pop(0)
        trial = task.request.trial
        stopped_here = self._state.get("trial") == trial
        outcome = train_trial(
            task,
            task.config,
            self._collector,
            partial(self._end_update, trial),
            self._state["trainer"] if stopped_here else None,
        )
        return trial, TrialPart(
            order=task.request.order, episodes=outcome.result.episodes, updates=(), then=None, outcome=outcome
        )


class _Elsewhere:
    """Trials in other processes, part by part."""

    def __init__(self, pool: Pool[TrialTask, TrialPart], stop: StopRequest) -> None:
        self._pool = pool
        self._stop = stop

    def submit(self, task: TrialTask) -> None:
        """Send the first part of a trial off."""
        self._pool.submit(task)

    def next_part(self) -> tuple[int, TrialPart]:
        """Wait for a part to come back, and for the user who may want to stop; the next part of its trial is sent."""
        task, part = self._pool.next_done(self._stop.check)
        if part.then is not None:
            self._pool.submit(part.then)
        return task.request.trial, part
