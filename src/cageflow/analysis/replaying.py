"""Plays the episodes of an agent and writes every step down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.analysis.red_turns import red_turn
from cageflow.analysis.replay import DEPARTS, DOWN, EVICTED, FOLLOWS, HELD, RESTORED, Replay, ReplayStep, Situation
from cageflow.analysis.traces import held_between
from cageflow.analysis.turns import NOTHING_DUE, due_types
from cageflow.collect.games import GameSpec, LocalGames, WorkflowSpec
from cageflow.envs.agent import Actions, BlueAgent, BlueView, OpenAgent
from cageflow.envs.game import GameBatch
from cageflow.envs.inspection import Access, LastStep, describe_step, true_states
from cageflow.envs.options import GameOptions
from cageflow.envs.rendering import blue_turn
from cageflow.scenario import BlueKind, Network, RedKind
from cageflow.workflow.compliance import ComplianceTracker, spared_sessions
from cageflow.workflow.tested import TESTED

NUM_LIKELIEST = 5
"""Actions whose probability is kept of each step."""


class ScriptedAgent:
    """Plays given actions, and lets another agent say how likely it would have held them.

    Args:
        actions: of one game.
        agent: asked for probabilities where it is an `OpenAgent`; None for nobody.
    """

    max_envs: int | None = 1

    def __init__(self, actions: Sequence[int], agent: BlueAgent | None = None) -> None:
        self._actions = actions
        self._agent = agent

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin the episode."""
        if isinstance(self._agent, OpenAgent):
            self._agent.reset(seeds)

    def act(self, view: BlueView) -> Actions:
        """(1,) the action of the step; Sleep after the last."""
        if isinstance(self._agent, OpenAgent):
            self._agent.act(view)  # some remember what they saw
        return np.array([self._actions[view.step] if view.step < len(self._actions) else 0])

    def probabilities(self, view: BlueView) -> npt.NDArray[np.float64]:
        """(1, A) float64 of the other agent."""
        if isinstance(self._agent, OpenAgent):
            return self._agent.probabilities(view)
        return np.full(view.masks.shape, np.nan)


def replay_episodes(
    agent: BlueAgent,
    options: GameOptions,
    seeds: npt.NDArray[np.uint64],
    workflow: WorkflowSpec | None,
    *,
    titles: Sequence[str],
    agent_seeds: npt.NDArray[np.uint64] | None = None,
    num_steps: int | None = None,
) -> list[Replay]:
    """Play the episodes of some seeds and write everything down.

    Args:
        agent: plays blue.
        options: the game.
        seeds: (N,) uint64 of the games.
        workflow: that fixes are judged by, or None.
        titles: what the episodes are called.
        agent_seeds: (N,) uint64 of the agent's chance; None: those of the games.
        num_steps: to be played; None is whole episodes.

    Raises:
        RuntimeError: the causes of a reward do not add up to it, or a fix was judged by another workflow.
    """
    own = seeds if agent_seeds is None else agent_seeds
    at_once = agent.max_envs or len(seeds)
    replays: list[Replay] = []
    for first in range(0, len(seeds), at_once):
        part = slice(first, first + at_once)
        replays += _replay_batch(agent, options, seeds[part], own[part], workflow, titles[part], num_steps)
    return replays


def _replay_batch(
    agent: BlueAgent,
    options: GameOptions,
    seeds: npt.NDArray[np.uint64],
    agent_seeds: npt.NDArray[np.uint64],
    workflow: WorkflowSpec | None,
    titles: Sequence[str],
    num_steps: int | None,
) -> list[Replay]:
    listener = _Listener(agent)
    batch = GameBatch(options, len(seeds))
    games = LocalGames(GameSpec(options, masked=False), batch)
    games.reset(seeds, workflow)
    starts = [_situation(options.network, batch.states[i : i + 1], games.table[i]) for i in range(len(seeds))]
    scribes = [_Scribe(options, workflow, start) for start in starts]
    judge = _Judge(games.tracker, len(seeds))
    for step in play_steps(listener, games, agent_seeds) if num_steps != 0 else ():
        verdicts = judge.verdicts()
        for i, scribe in enumerate(scribes):
            state, action = batch.states[i : i + 1], int(step.actions[i])
            scribe.take(state, games.table[i], action, float(step.rewards[i]), listener.probabilities(i), verdicts[i])
        if step.number + 1 == num_steps:
            break
    compliance = games.outcomes().compliance
    return [
        Replay(
            title=title,
            seed=int(seed),
            env_return=round(sum(step.reward for step in scribe.steps), 1),
            compliance=None if workflow is None else float(share),
            start=start,
            steps=tuple(scribe.steps),
        )
        for title, seed, scribe, share, start in zip(titles, seeds, scribes, compliance, starts, strict=True)
    ]


class Verdict(NamedTuple):
    """What is said of a step by the workflow: see `ReplayStep`."""

    word: str = ""
    tested: bool | None = None


class _Judge:
    """Tells from what a tracker has counted what it said of the last step."""

    def __init__(self, tracker: ComplianceTracker | None, num_envs: int) -> None:
        self._tracker = tracker
        self._counts = np.zeros((3, num_envs), np.int64)

    def verdicts(self) -> list[Verdict]:
        """Of each game; asked once a step."""
        if self._tracker is None:
            return [Verdict()] * self._counts.shape[1]
        tracker = self._tracker
        counts = np.stack([tracker.fixes, tracker.compliant_fixes, tracker.tests.counts[:, TESTED]])
        is_fix, follows, tested = counts > self._counts
        self._counts[:] = counts
        return [
            Verdict(FOLLOWS if follows[i] else DEPARTS, bool(tested[i])) if is_fix[i] else Verdict()
            for i in range(len(is_fix))
        ]


class _Listener:
    """An agent whose probabilities are kept for a step."""

    def __init__(self, agent: BlueAgent) -> None:
        self._agent = agent
        self._probabilities: npt.NDArray[np.float64] | None = None

    @property
    def max_envs(self) -> int | None:
        return self._agent.max_envs

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        self._agent.reset(seeds)

    def act(self, view: BlueView) -> Actions:
        actions = self._agent.act(view)
        self._probabilities = self._agent.probabilities(view) if isinstance(self._agent, OpenAgent) else None
        return actions

    def probabilities(self, env_idx: int) -> npt.NDArray[np.float64] | None:
        """(A,) float64 in one game; None where they are not known."""
        if self._probabilities is None or np.isnan(self._probabilities[env_idx]).any():
            return None
        probabilities: npt.NDArray[np.float64] = self._probabilities[env_idx]
        return probabilities


class _Scribe:
    """Writes the steps of one game down."""

    def __init__(self, options: GameOptions, workflow: WorkflowSpec | None, start: Situation) -> None:
        self._network = options.network
        self._params = options.params()
        self._workflow = workflow
        self._before = start
        self._last: LastStep | None = None
        self._spared = None if workflow is None else spared_sessions(self._network, workflow.definition)
        self.steps: list[ReplayStep] = []

    def take(
        self,
        state: npt.NDArray[Any],
        table: npt.NDArray[np.uint8],
        action: int,
        reward: float,
        probabilities: npt.NDArray[np.float64] | None,
        verdict: Verdict,
    ) -> None:
        """Write a step down.

        Args:
            state: (1,) the game after it.
            table: (F,) what blue sees then.
            action: blue's.
            reward: blue's.
            probabilities: (A,) of all actions before it; None where they are not known.
            verdict: of the workflow.
        """
        network = self._network
        codec = network.codec
        last = describe_step(network, state, action, reward)
        turn = blue_turn(network, last, self._last)
        after = _situation(network, state, table)
        truth = true_states(network, state)
        held = held_between(state, truth["user_sessions"] + truth["privileged_sessions"])[0]
        red = red_turn(network, self._params, state, held)
        red_kind, red_target = int(state["red_kind"][0]), int(state["red_target"][0])
        is_sweep = red_kind == RedKind.DISCOVER_REMOTE_SYSTEMS
        due, compromised = self._due(verdict.word, action)
        likeliest = () if probabilities is None else np.argsort(-probabilities, kind="stable")[:NUM_LIKELIEST].tolist()
        self.steps.append(
            ReplayStep(
                number=last.number,
                blue=last.blue_action,
                blue_kind=int(codec.kind[action]),
                blue_host=int(codec.host[action]),
                blue_success=last.blue_success,
                in_vain=turn.in_vain,
                ended=tuple(
                    (codec.names[one], int(codec.host[one]), self._effect(state, one, held))
                    for one in map(codec.encode, turn.ended)
                ),
                under_way=tuple(
                    (codec.names[one], int(codec.host[one]), left, int(network.tables.action_steps[one]))
                    for one, left in ((codec.encode(name), left) for name, left in last.under_way)
                ),
                red=last.red_action,
                red_kind=red_kind,
                red_host=-1 if is_sweep or red_kind == RedKind.SLEEP else red_target,
                red_subnet=red_target if is_sweep else -1,
                red_success=last.red_success,
                red_from=red.origin,
                red_through=red.through,
                red_why=red.why,
                green_host=int(state["green_scan"][0]),
                reward=round(last.reward, 1),
                causes=_causes(network, after, turn.ended, reward),
                likeliest=tuple((codec.names[one], _rounded(probabilities, one)) for one in likeliest),
                chosen_prob=None if probabilities is None else _rounded(probabilities, action),
                verdict=verdict.word,
                tested=verdict.tested,
                due=due,
                compromised=compromised,
                after=after,
            )
        )
        self._before, self._last = after, last

    def _due(self, verdict: str, action: int) -> tuple[str, tuple[int, ...]]:
        """The unit type that the workflow wanted fixed, and the hosts that counted as compromised, before the step."""
        if self._workflow is None or self._spared is None:
            return "", ()
        network = self._network
        sessions = np.zeros(len(network.hosts), np.int64)
        for host, user, privileged in self._before.sessions:
            sessions[host] = user + privileged
        held = sessions > self._spared
        due = int(due_types(network, held[None], self._workflow.order)[0])
        departs = due not in (NOTHING_DUE, network.host_unit_type[network.codec.host[action]])
        if verdict and departs != (verdict == DEPARTS):
            raise RuntimeError(f"a fix was judged by another workflow than {self._workflow.order}")
        return "" if due == NOTHING_DUE else network.unit_types[due], tuple(np.flatnonzero(held).tolist())

    def _effect(self, state: npt.NDArray[Any], action: int, held: npt.NDArray[np.bool_]) -> str:
        """What came of an action of blue's that took effect, in a few words; the truth, not what blue is told."""
        codec = self._network.codec
        kind, host = BlueKind(int(codec.kind[action])), int(codec.host[action])
        if kind == BlueKind.ANALYSE:
            return "found red's files" if int(state["files_found"][0]) >> host & 1 else "found nothing"
        if kind == BlueKind.DECOY:
            return "planted" if int(state["new_decoys"][0]) >> host & 1 else "no room for it"
        if int(self._before.access[host]) == Access.NONE:
            return "red was not there"
        return "red stays" if held[host] else EVICTED


def _situation(network: Network, state: npt.NDArray[Any], table: npt.NDArray[np.uint8]) -> Situation:
    truth = true_states(network, state)
    user, privileged = truth["user_sessions"][0], truth["privileged_sessions"][0]
    decoys = truth["decoys"][0]
    return Situation(
        access=_digits(truth["access"][0]),
        activity=_digits(table[0::4] + 2 * table[1::4]),
        belief=_digits(table[2::4] + 2 * table[3::4]),
        sessions=tuple((h, int(user[h]), int(privileged[h])) for h in np.flatnonzero(user + privileged).tolist()),
        decoys=tuple(
            (h, tuple(d for d in range(len(network.decoys)) if decoys[h] >> d & 1))
            for h in np.flatnonzero(decoys).tolist()
        ),
        malware=tuple(np.flatnonzero(truth["malware"][0]).tolist()),
        down=tuple(np.flatnonzero(~truth["service_running"][0]).tolist()),
    )


def _causes(
    network: Network, after: Situation, ended: Sequence[str], reward: float
) -> tuple[tuple[int, str, float], ...]:
    """What a step's reward is made of; what costs nothing is left out.

    Raises:
        RuntimeError: it does not add up to the reward.
    """
    tables, codec = network.tables, network.codec
    held = (host for host, level in enumerate(after.access) if int(level) == Access.PRIVILEGED)
    restores = (one for one in map(codec.encode, ended) if codec.kind[one] == BlueKind.RESTORE)
    tenths = [(host, HELD, int(tables.confidentiality[host])) for host in held]
    tenths += [(host, DOWN, int(tables.availability[host])) for host in after.down]
    tenths += [(int(codec.host[one]), RESTORED, int(tables.restore_cost)) for one in restores]
    if sum(cost for _, _, cost in tenths) != round(-10 * reward):
        raise RuntimeError(f"the reward {reward} is not what these come to: {tenths}")
    return tuple((host, cause, -cost / 10) for host, cause, cost in tenths if cost)


def _digits(values: npt.NDArray[Any]) -> str:
    return "".join(map(str, values.tolist()))


def _rounded(probabilities: npt.NDArray[np.float64] | None, action: int) -> float:
    assert probabilities is not None
    return round(float(probabilities[action]), 4)
