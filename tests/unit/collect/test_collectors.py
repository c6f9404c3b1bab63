"""All collectors give the same episodes; a worker that dies costs none of them."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cageflow.collect import (
    Collector,
    Episodes,
    EpisodeStream,
    GameSpec,
    Job,
    WorkflowSpec,
    make_collector,
    play_each,
)
from cageflow.collect.collectors import COLLECTORS, ProcessCollector
from cageflow.collect.feed import AsynchronousFeed, SynchronousFeed, largest_divisor
from cageflow.collect.lockstep_games import LockstepGames
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, RANDOM, perturbing_action, start_of
from cageflow.envs.varying import Variation
from cageflow.errors import UserError
from cageflow.learn.inference import ActorWeights
from cageflow.learn.ppo import PPO
from cageflow.scenario import default_network
from cageflow.settings.presets import PRESETS
from cageflow.sim.recall import num_recalled
from cageflow.work.pool import MAX_DEATHS, WorkerError
from cageflow.work.worker_processes import WorkerProcesses
from tests.helpers import deadly_seed
from tests.helpers.orders import encode_order, parse_order

ORDER = parse_order("enterprise,op_server,user,op_host,defender")
WORKFLOW = WorkflowSpec(ORDER, 30.0, "any-session")
STREAM = EpisodeStream(7, "test")


def weights(seed: int = 0, num_observations: int = 52) -> ActorWeights:
    config, code = PRESETS["reference"].learner, encode_order(ORDER)
    return PPO(config, num_observations=num_observations, order_encoding=code, seed=seed).actor_weights()


def spec(
    *,
    masked: bool = False,
    max_steps: int = 30,
    cyborg_path: str | None = None,
    memory: bool = False,
    red: str = "meander",
) -> GameSpec:
    return GameSpec(GameOptions(red_agent=red, max_steps=max_steps), masked, cyborg_path, memory)


def content(episodes: Episodes) -> dict[str, bytes]:
    """All that must be equal, bit for bit; observations as they came, whatever table they were kept in."""
    rollout = episodes.rollout
    arrays = {
        "observations": rollout.observations[rollout.observation_idx],
        "final_observations": rollout.observations[rollout.final_observation_idx],
        "actions": rollout.actions,
        "log_probs": rollout.log_probs,
        "env_rewards": rollout.env_rewards,
        "alignment_rewards": rollout.alignment_rewards,
        "compliance": episodes.compliance,
        "tests": episodes.tests,
        "contests": episodes.contests,
        "fixes": episodes.fixes,
        "seeds": episodes.seeds,
    }
    if rollout.masks is not None and rollout.mask_idx is not None:
        arrays["masks"] = rollout.masks[rollout.mask_idx]
    return {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}


def play_all(asked: GameSpec, num_episodes: int, workflow: WorkflowSpec | None) -> dict[str, dict[str, bytes]]:
    found = {}
    for name in COLLECTORS:
        collector = make_collector(name, asked, 2)
        num_observations = 52 + (num_recalled(default_network()) if asked.memory else 0)
        policy = weights(num_observations=num_observations)
        found[name] = content(collector.play(policy, STREAM.seeds(0, num_episodes), workflow))
        collector.close()
    return found


def test_all_collectors_give_the_same_episodes_with_a_memory_against_a_mixed_opponent() -> None:
    found = play_all(spec(masked=True, memory=True, red="mixed"), 7, WORKFLOW)
    for name, episodes in found.items():
        assert episodes == found["vector"], name
    assert len(found["vector"]["observations"]) == 7 * 30 * (52 + num_recalled(default_network()))


@pytest.mark.parametrize("masked", [False, True])
def test_all_collectors_give_the_same_episodes_bit_for_bit(masked: bool) -> None:
    found = play_all(spec(masked=masked), 7, WORKFLOW)
    for name, episodes in found.items():
        assert episodes == found["vector"], name


@pytest.mark.parametrize("name", ["process", "vector"])
def test_play_each__plays_every_policy_with_its_seeds_and_workflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = WorkflowSpec(ORDER[::-1], 10.0, "evictable")
    jobs = [
        Job(weights(0), STREAM.seeds(0, 7), WORKFLOW),
        Job(weights(1), STREAM.seeds(7, 4), other),
        Job(weights(0), STREAM.seeds(2, 3), None),
    ]
    alone = make_collector("sequential", spec(), 1)
    wanted = [content(alone.play(*job)) for job in jobs]
    collector = make_collector(name, spec(), 2)
    if isinstance(collector, ProcessCollector):
        monkeypatch.setattr(collector, "task_episodes", 3)
    assert [content(episodes) for episodes in play_each(collector, jobs)] == wanted
    collector.close()


def test_other_seeds_or_another_policy_give_other_episodes() -> None:
    collector = make_collector("vector", spec(), 1)
    first = content(collector.play(weights(), STREAM.seeds(0, 5), WORKFLOW))
    assert content(collector.play(weights(), STREAM.seeds(0, 5), WORKFLOW)) == first
    assert content(collector.play(weights(), STREAM.seeds(5, 5), WORKFLOW)) != first
    assert content(collector.play(weights(1), STREAM.seeds(0, 5), WORKFLOW)) != first


def test_alignment_of_an_episode_sums_to_lambda_times_its_compliance() -> None:
    episodes = make_collector("vector", spec(max_steps=100), 1).play(weights(), STREAM.seeds(0, 50), WORKFLOW)
    fixed = episodes.fixes > 0
    assert fixed.all()
    np.testing.assert_allclose(episodes.alignment_returns, 30.0 * episodes.compliance, atol=1e-4)


def test_without_workflow_there_is_no_alignment_and_no_compliance() -> None:
    episodes = make_collector("vector", spec(), 1).play(weights(), STREAM.seeds(0, 3), None)
    assert not episodes.rollout.alignment_rewards.any()
    assert np.isnan(episodes.compliance).all()


def test_streams_of_other_purposes_or_seeds_share_no_episode() -> None:
    streams = [EpisodeStream(7, "test"), EpisodeStream(7, "train"), EpisodeStream(8, "test")]
    seeds = np.concatenate([stream.seeds(0, 1000) for stream in streams])
    assert len(np.unique(seeds)) == 3000
    np.testing.assert_array_equal(STREAM.seeds(0, 10)[4:], STREAM.seeds(4, 6))


def test_unknown_collector_is_refused() -> None:
    with pytest.raises(UserError, match="unknown collector 'batch': choose one of vector, process, sync, sequential"):
        make_collector("batch", spec(), 1)


@pytest.fixture(scope="module")
def shared_collector() -> Iterator[ProcessCollector]:
    """Its workers take seconds to start."""
    collector = make_collector("process", spec(), 2)
    assert isinstance(collector, ProcessCollector)
    collector.task_episodes = 5
    yield collector
    collector.close()


@pytest.fixture
def process_collector(shared_collector: ProcessCollector) -> Iterator[ProcessCollector]:
    yield shared_collector
    shared_collector.workers.cancel()


def worker_pids(collector: ProcessCollector) -> list[int]:
    workers = collector.workers._handle.executor
    assert isinstance(workers, WorkerProcesses)
    return sorted(worker.pid for worker in workers._workers)


def test_killed_worker_is_replaced_and_no_episode_is_lost_or_doubled(process_collector: ProcessCollector) -> None:
    expected = content(make_collector("vector", spec(), 1).play(weights(), STREAM.seeds(0, 60), WORKFLOW))
    process_collector.play(weights(), STREAM.seeds(0, 10), WORKFLOW)  # the workers are up
    os.kill(worker_pids(process_collector)[0], signal.SIGKILL)
    assert content(process_collector.play(weights(), STREAM.seeds(0, 60), WORKFLOW)) == expected


def test_ctrl_c_in_the_terminal_leaves_the_workers_to_the_learner(process_collector: ProcessCollector) -> None:
    first = content(process_collector.play(weights(), STREAM.seeds(0, 10), WORKFLOW))
    pids = worker_pids(process_collector)
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    assert content(process_collector.play(weights(), STREAM.seeds(0, 10), WORKFLOW)) == first
    assert worker_pids(process_collector) == pids


def test_dead_worker_of_the_lockstep_is_named() -> None:
    games = LockstepGames(spec(), 2)
    os.kill(games._workers[1].pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"worker 1 of the collector sync died \(exit status -9\)"):
        games.reset(STREAM.seeds(0, 4), WORKFLOW)
    games.close()


def test_workers_that_die_again_and_again_stop_the_run_and_name_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cageflow.collect.workers._play", deadly_seed.play)
    wanted = f"workers died {MAX_DEATHS} times in a row; the episode with seed {deadly_seed.DEADLY} kills its worker"
    collector = make_collector("process", spec(), 1)
    with pytest.raises(WorkerError, match=rf"{wanted} \(exit status 9\)"):
        collector.play(weights(), STREAM.seeds(5, 3), WORKFLOW)
    collector.close()


def all_seeds(batches: list[Episodes]) -> list[int]:
    return [int(seed) for batch in batches for seed in batch.seeds]


def test_asynchronous_feed_hands_over_every_episode_once(process_collector: ProcessCollector) -> None:
    feed = AsynchronousFeed(process_collector, STREAM, WORKFLOW, max_staleness=2, max_episodes=50)
    batches = [feed.next_batch(weights(i), 10) for i in range(5)]
    assert sorted(all_seeds(batches)) == sorted(STREAM.seeds(0, 50).tolist())


def test_asynchronous_feed_is_never_staler_than_allowed(process_collector: ProcessCollector) -> None:
    feed = AsynchronousFeed(process_collector, STREAM, WORKFLOW, max_staleness=2, max_episodes=100)
    policies = [weights(i) for i in range(10)]
    reference = make_collector("vector", spec(), 1)
    stale = 0
    for version in range(10):
        batch = feed.next_batch(policies[version], 10)
        for i in range(10):
            # Whose log-probabilities are these? They travel with the episode.
            played = batch.rollout.log_probs[:, i].tobytes()
            ages = [
                age
                for age in range(version + 1)
                if reference.play(policies[version - age], batch.seeds[i : i + 1], WORKFLOW).rollout.log_probs.tobytes()
                == played
            ]
            assert len(ages) == 1
            assert ages[0] <= 2
            stale += ages[0] > 0
    assert stale > 0  # the workers did go on while the learner had its turn


def test_asynchronous_feed_goes_on_after_a_stop_without_loss_or_repetition(
    process_collector: ProcessCollector,
) -> None:
    feed = AsynchronousFeed(process_collector, STREAM, WORKFLOW, max_staleness=1, max_episodes=60)
    before = [feed.next_batch(weights(), 10) for _ in range(3)]
    state = feed.state_dict()
    feed.next_batch(weights(), 10)  # this batch is lost with the stop
    feed.close()
    again = AsynchronousFeed(process_collector, STREAM, WORKFLOW, max_staleness=1, max_episodes=60)
    again.load_state_dict(state)
    after = [again.next_batch(weights(), 10) for _ in range(3)]
    assert sorted(all_seeds(before + after)) == sorted(STREAM.seeds(0, 60).tolist())


def test_synchronous_feed_follows_the_stream_and_resumes() -> None:
    collector: Collector = make_collector("vector", spec(), 1)
    feed = SynchronousFeed(collector, STREAM, WORKFLOW)
    first = feed.next_batch(weights(), 4)
    again = SynchronousFeed(collector, STREAM, WORKFLOW)
    again.load_state_dict(feed.state_dict())
    second = again.next_batch(weights(), 3)
    assert all_seeds([first, second]) == STREAM.seeds(0, 7).tolist()


def test_tasks_are_cut_so_that_whole_ones_make_a_batch() -> None:
    assert [largest_divisor(200, 50), largest_divisor(130, 50), largest_divisor(7, 50), largest_divisor(53, 50)] == [
        50,
        26,
        7,
        1,
    ]


def test_process_collector_goes_on_while_nobody_waits(process_collector: ProcessCollector) -> None:
    feed = AsynchronousFeed(process_collector, STREAM, WORKFLOW, max_staleness=1, max_episodes=40)
    feed.next_batch(weights(), 20)
    deadline = time.monotonic() + 30.0
    while any(not future.done() for future in process_collector.workers._running):
        assert time.monotonic() < deadline
        time.sleep(0.01)  # the learner is busy; the second batch is played meanwhile


@pytest.mark.cyborg
def test_all_collectors_give_the_same_episodes_on_cyborg(cyborg_path: Path) -> None:
    found = play_all(spec(max_steps=10, cyborg_path=str(cyborg_path)), 3, WORKFLOW)
    for name, episodes in found.items():
        assert episodes == found["vector"], name


@pytest.mark.cyborg
def test_perturbed_start_on_cyborg__is_what_was_played_there_before_the_episode(cyborg_path: Path) -> None:
    seeds = np.array([seed for seed in STREAM.seeds(0, 40) if start_of(seed, 0.5) == RANDOM][:2])
    batch = make_games(spec(max_steps=3, cyborg_path=str(cyborg_path))).batch
    tables = np.zeros((2, 2, 52), np.uint8)
    batch.begin(seeds, tables[0])
    batch.vary(seeds, Variation(perturbed=0.5), tables[0])
    steps = batch.memory.records["step"].tolist()
    batch.begin(seeds, tables[1])
    for step in range(PERTURBING_STEPS):
        actions = np.array([perturbing_action(seed, step, RANDOM, 145) for seed in seeds], np.int16)
        batch.play(actions, tables[1], np.empty(2, np.float32))
    assert np.array_equal(*tables) and tables.any()
    assert steps == batch.memory.records["step"].tolist() == [PERTURBING_STEPS] * 2
    batch.play(np.zeros(2, np.int16), tables[1], np.empty(2, np.float32))  # the episode has its own steps still
