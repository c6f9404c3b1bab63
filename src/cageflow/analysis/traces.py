"""Fresh episodes of an agent on the compiled simulator, with the truth of every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.collect.games import GameSpec, LocalGames, WorkflowSpec
from cageflow.envs.agent import BlueAgent
from cageflow.envs.game import GameBatch
from cageflow.envs.inspection import true_states
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind, RedKind
from cageflow.sim.enums import Activity, Outcome
from cageflow.workflow.compliance import spared_sessions

STEPS_AT_ONCE = 100_000
"""Of all episodes of a batch together; some hundred bytes each."""

NO_FIX, DEPARTS, FOLLOWS = -1, 0, 1


class Trace(NamedTuple):
    """B episodes of T steps, of a network of H hosts. What has T + 1 entries begins with the start of the episode.

    Attributes:
        actions: (T, B) int16 blue's, as they were begun: Sleep where all crews were busy, since it did nothing.
        busy: (T, B) bool: whether all crews were busy when blue chose.
        rewards: (T, B) float64.
        access: (T + 1, B, H) int8 of `inspection.Access`.
        held: (T, B, H) bool: whether the host counted as compromised before the step, by the workflow's definition;
            without a workflow, whether red held any session there.
        left: (T, B, H) bool: whether red still held a session on the host after blue had acted, before red did.
        alarms: (T, B, H) bool: whether blue's table showed an exploit on the host after the step.
        service_down: (T, B, H) bool: whether the service of each host was down after the step.
        verdicts: (T, B) int8: NO_FIX, or whether a fix FOLLOWS the workflow or DEPARTS from it; without one NO_FIX.
        compliance: (B,) float64, NaN without a workflow.
        tests, contests: (B, 4) and (B, T, T) int32 as of `workflow.tested.TestedFixes`; 0 without a workflow.
    """

    actions: npt.NDArray[np.int16]
    busy: npt.NDArray[np.bool_]
    rewards: npt.NDArray[np.float64]
    access: npt.NDArray[np.int8]
    held: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]
    alarms: npt.NDArray[np.bool_]
    service_down: npt.NDArray[np.bool_]
    verdicts: npt.NDArray[np.int8]
    compliance: npt.NDArray[np.float64]
    tests: npt.NDArray[np.int32]
    contests: npt.NDArray[np.int32]

    @property
    def returns(self) -> npt.NDArray[np.float64]:
        """(B,) sums of the rewards, exact to the tenth."""
        returns: npt.NDArray[np.float64] = np.round(self.rewards.sum(axis=0), 1)
        return returns


def trace_episodes(
    agent: BlueAgent, options: GameOptions, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None
) -> Iterator[Trace]:
    """Play one episode for each seed, a batch at a time.

    Args:
        agent: plays blue.
        options: the game.
        seeds: (N,) uint64; each decides the game's chance and the agent's.
        workflow: that fixes are judged by, or None.
    """
    at_once = max(1, STEPS_AT_ONCE // options.max_steps)
    for first in range(0, len(seeds), at_once):
        yield _record_batch(agent, options, seeds[first : first + at_once], workflow)


def _record_batch(
    agent: BlueAgent, options: GameOptions, seeds: npt.NDArray[np.uint64], workflow: WorkflowSpec | None
) -> Trace:
    network = options.network
    num_steps, num_envs, num_hosts = options.max_steps, len(seeds), len(network.hosts)
    trace = Trace(
        actions=np.empty((num_steps, num_envs), np.int16),
        busy=np.zeros((num_steps, num_envs), np.bool_),
        rewards=np.empty((num_steps, num_envs), np.float64),
        access=np.empty((num_steps + 1, num_envs, num_hosts), np.int8),
        held=np.empty((num_steps, num_envs, num_hosts), np.bool_),
        left=np.empty((num_steps, num_envs, num_hosts), np.bool_),
        alarms=np.empty((num_steps, num_envs, num_hosts), np.bool_),
        service_down=np.empty((num_steps, num_envs, num_hosts), np.bool_),
        verdicts=np.full((num_steps, num_envs), NO_FIX, np.int8),
        compliance=np.full(num_envs, np.nan),
        tests=np.zeros((num_envs, 4), np.int32),
        contests=np.zeros((num_envs, len(network.unit_types), len(network.unit_types)), np.int32),
    )
    batch = GameBatch(options, num_envs)
    games = LocalGames(GameSpec(options, masked=False), batch)
    games.reset(seeds, workflow)
    tracker = games.tracker
    trace.access[0] = games.access()
    spared = spared_sessions(network, "any-session" if workflow is None else workflow.definition)
    start = true_states(network, batch.states)
    trace.held[0] = start["user_sessions"] + start["privileged_sessions"] > spared
    sleep, no_crew = network.codec.encode("Sleep"), np.array((BlueKind.SLEEP, BlueKind.MONITOR))
    fixes, compliant = np.zeros(num_envs, np.int32), np.zeros(num_envs, np.int32)
    for step, actions, rewards in play_steps(agent, games, seeds):
        in_vain = trace.busy[step] & ~np.isin(network.codec.kind[actions], no_crew)
        trace.actions[step] = np.where(in_vain, sleep, actions)
        trace.rewards[step] = np.round(rewards.astype(np.float64), 1)
        if tracker is not None:
            is_fix, follows = tracker.fixes > fixes, tracker.compliant_fixes > compliant
            trace.verdicts[step] = np.where(is_fix, np.where(follows, FOLLOWS, DEPARTS), NO_FIX)
            fixes[:], compliant[:] = tracker.fixes, tracker.compliant_fixes
        states = batch.states
        trace.busy[step + 1 : step + 2] = states["num_busy"] == network.scenario.crews
        truth = true_states(network, states)
        sessions = truth["user_sessions"] + truth["privileged_sessions"]
        trace.held[step + 1 : step + 2] = sessions > spared
        trace.left[step] = held_between(states, sessions)
        trace.access[step + 1] = truth["access"]
        trace.service_down[step] = ~truth["service_running"]
        low, high = games.table[:, 0::4], games.table[:, 1::4]
        trace.alarms[step] = low + 2 * high == Activity.EXPLOIT
    outcomes = games.outcomes()
    trace.compliance[:], trace.tests[:], trace.contests[:] = outcomes.compliance, outcomes.tests, outcomes.contests
    return trace


def held_between(states: npt.NDArray[Any], sessions: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """(B, H) bool: whether red held a session on the host after blue had acted, before red did.

    Args:
        states: (B,) environments after the step.
        sessions: (B, H) red's of any level, after it too.
    """
    gained = (states["red_kind"] == RedKind.EXPLOIT_REMOTE_SERVICE) & (states["red_outcome"] == Outcome.TRUE)
    before = sessions.copy()
    before[np.flatnonzero(gained), states["red_target"][gained]] -= 1
    held: npt.NDArray[np.bool_] = before > 0
    return held
