"""Whether blue's fixes follow a workflow, and what that earns.

A fix is a Remove or a Restore. It complies when its target's unit type is the highest-priority one that is compromised
in the true state just before the action; with no type compromised every fix complies. One that takes several steps is
judged when it is chosen, and one that is chosen while all crews are busy is none. A host is compromised while a red
session is on it.

Two definitions differ in which sessions count: `any-session` counts all, so that in CAGE-2 `user` is always compromised
(red never loses its first session); `evictable` counts those that blue could end, so also the further ones that red
opens on a host where it began.

Beside the compliance stands how many of the fixes tested the order at all: see `tested`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.errors import UserError
from cageflow.scenario import Network
from cageflow.scenario.orders import Order
from cageflow.sim.crews import has_free_crew
from cageflow.sim.handover import plain, row
from cageflow.sim.hosts import count_sessions
from cageflow.workflow.due import is_compliant, types_of
from cageflow.workflow.tested import (
    KNOWN,
    REMOVE,
    RESTORE,
    TESTED,
    TestedFixes,
    began_with,
    held_by_knowledge,
    held_by_truth,
    note_contests,
    note_test,
)

WorkflowMode = Literal["rewarded", "enforced"]
"""How a policy is brought to follow its order: by a reward for it, or by masks that let it do nothing else."""
DEFINITIONS: tuple[str, ...] = ("any-session", "evictable")
COMPLIANCE_WITHOUT_FIX = 0.5
PENALTY_WITHOUT_FIX = -0.2  # in units of lambda, at the end of an episode without any fix


class Judging(NamedTuple):
    """What `score_states` judges by and counts in, for compiled code.

    Attributes:
        nets: (1,) the network's tables.
        order: (T,) int8 unit types, highest priority first.
        spared: (H,) int16 as `spared_sessions` gives them.
        alignment_lambda: reward for an episode of full compliance.
        fixes: (B,) int32 fixes so far; written.
        compliant_fixes: (B,) int32 of them, those that comply; written.
        tests: with `contests` as in `tested.TestedFixes`; written.
    """

    nets: npt.NDArray[Any]
    order: npt.NDArray[np.int8]
    spared: npt.NDArray[np.int16]
    alignment_lambda: float
    fixes: npt.NDArray[np.int32]
    compliant_fixes: npt.NDArray[np.int32]
    tests: npt.NDArray[np.int32]
    contests: npt.NDArray[np.int32]


class ComplianceTracker:
    """Compliance and alignment reward of a batch of episodes that run in step.

    Attributes:
        fixes: (B,) int32 fixes so far.
        compliant_fixes: (B,) int32 of them, those that comply.
        tests: which of them tested the order.

    Args:
        network: the network that is played.
        order: the workflow.
        num_envs: B.
        alignment_lambda: reward for an episode of full compliance.
        definition: one of `DEFINITIONS`.

    Raises:
        UserError: an unknown definition.
    """

    def __init__(
        self,
        network: Network,
        order: Order,
        num_envs: int,
        alignment_lambda: float,
        definition: str = "any-session",
    ) -> None:
        self._spared = spared_sessions(network, definition)
        self._began_with = spared_sessions(network, "evictable")
        self._nets = row(network.tables)
        self._order = network.orders.indices(order)
        self._lambda = float(alignment_lambda)
        self.fixes = np.zeros(num_envs, np.int32)
        self.compliant_fixes = np.zeros(num_envs, np.int32)
        self.tests = TestedFixes(num_envs, len(self._order))

    def score_states(
        self,
        states: npt.NDArray[Any],
        memories: npt.NDArray[Any],
        actions: npt.NDArray[np.integer],
        rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge the actions that are about to be taken in the compiled simulator.

        Args:
            states: (B,) simulator records before the actions.
            memories: (B,) what blue remembers by then, see `cageflow.sim.memory`.
            actions: (B,) action numbers.
            rewards: (B,) float32; overwritten with the alignment reward.
        """
        score_states(
            plain(states),
            plain(memories),
            self._nets,
            self._order,
            self._spared,
            self._lambda,
            actions,
            self.fixes,
            self.compliant_fixes,
            self.tests.counts,
            self.tests.contests,
            rewards,
        )

    def score_sessions(
        self,
        sessions: npt.NDArray[np.integer],
        memories: npt.NDArray[Any],
        actions: npt.NDArray[np.integer],
        rewards: npt.NDArray[np.float32],
    ) -> None:
        """Judge the actions that are about to be taken in any other simulator.

        Args:
            sessions: (B, H) red sessions on each host before the actions, of any level.
            memories: (B,) what blue remembers by then, see `cageflow.sim.memory`.
            actions: (B,) action numbers.
            rewards: (B,) float32; overwritten with the alignment reward.
        """
        score_sessions(
            sessions,
            plain(memories),
            self._nets,
            self._order,
            self._spared,
            self._began_with,
            self._lambda,
            actions,
            self.fixes,
            self.compliant_fixes,
            self.tests.counts,
            self.tests.contests,
            rewards,
        )

    def end_rewards(self) -> npt.NDArray[np.float32]:
        """(B,) float32: what the end of the episode adds, the penalty where blue fixed nothing."""
        return np.where(self.fixes == 0, np.float32(PENALTY_WITHOUT_FIX * self._lambda), np.float32(0.0))

    def compliance(self) -> npt.NDArray[np.float64]:
        """(B,) float64: share of compliant fixes so far, COMPLIANCE_WITHOUT_FIX where there is none."""
        share = self.compliant_fixes / np.maximum(self.fixes, 1)
        return np.where(self.fixes == 0, COMPLIANCE_WITHOUT_FIX, share)

    def judging(self) -> Judging:
        """What compiled code judges and counts by in place of `score_states`."""
        return Judging(
            self._nets,
            self._order,
            self._spared,
            self._lambda,
            self.fixes,
            self.compliant_fixes,
            self.tests.counts,
            self.tests.contests,
        )

    def restart(self) -> None:
        """Begin new episodes in all environments."""
        self.fixes.fill(0)
        self.compliant_fixes.fill(0)
        self.tests.restart()


def spared_sessions(network: Network, definition: str) -> npt.NDArray[np.int16]:
    """(H,) int16 sessions on each host that do not make it compromised; with more than these it is.

    Raises:
        UserError: an unknown definition.
    """
    if definition not in DEFINITIONS:
        raise UserError(f"unknown definition of compromised {definition!r}: choose one of {', '.join(DEFINITIONS)}")
    tables = network.tables
    if definition == "any-session":
        return np.zeros(len(network.hosts), np.int16)
    return began_with(np.asarray(tables["start_user"]), np.asarray(tables["start_privileged"]))


@njit(cache=True)
def score_fix(net, order, alignment_lambda, compromised_types, action, fixes, compliant_fixes, i):
    """Count one fix and give the change of lambda times the compliance so far, which is 0 before the first fix."""
    before = compliant_fixes[i] / fixes[i] if fixes[i] > 0 else 0.0
    unit_type = net.unit_type[net.action_host[action]]
    fixes[i] += 1
    if is_compliant(compromised_types, order, unit_type):
        compliant_fixes[i] += 1
    return np.float32(alignment_lambda * (compliant_fixes[i] / fixes[i] - before))


@njit(cache=True)
def is_fix(net, action):
    """Whether an action is a Remove or a Restore."""
    kind = net.action_kind[action]
    return kind == REMOVE or kind == RESTORE


@njit(cache=True, nogil=True)
def score_states(
    states,
    memories,
    nets,
    order,
    spared,
    alignment_lambda,
    actions,
    fixes,
    compliant_fixes,
    tests,
    contests,
    rewards,
):
    """`ComplianceTracker.score_states`, compiled; `nets` is (1,) the network's tables."""
    net = nets[0]
    for i in range(states.shape[0]):
        rewards[i] = 0.0
        action = actions[i]
        if is_fix(net, action) and has_free_crew(states[i]):
            compromised = 0
            for host in range(net.unit_type.shape[0]):
                if count_sessions(states[i], host) > spared[host]:
                    compromised |= 1 << host
            types = types_of(net, compromised)
            rewards[i] = score_fix(net, order, alignment_lambda, types, action, fixes, compliant_fixes, i)
            note_test(net, order, held_by_truth(states[i], net), action, tests[i], TESTED)
            known = note_test(net, order, held_by_knowledge(memories[i], net), action, tests[i], KNOWN)
            note_contests(net, known, action, contests[i])


@njit(cache=True, nogil=True)
def score_sessions(
    sessions,
    memories,
    nets,
    order,
    spared,
    began,
    alignment_lambda,
    actions,
    fixes,
    compliant_fixes,
    tests,
    contests,
    rewards,
):
    """`ComplianceTracker.score_sessions`, compiled; `nets` is (1,) the network's tables."""
    net = nets[0]
    for i in range(sessions.shape[0]):
        rewards[i] = 0.0
        action = actions[i]
        if is_fix(net, action):
            compromised = 0
            held = 0
            for host in range(net.unit_type.shape[0]):
                if sessions[i, host] > spared[host]:
                    compromised |= 1 << host
                if sessions[i, host] > began[host]:
                    held |= 1 << host
            types = types_of(net, compromised)
            rewards[i] = score_fix(net, order, alignment_lambda, types, action, fixes, compliant_fixes, i)
            note_test(net, order, held, action, tests[i], TESTED)
            known = note_test(net, order, held_by_knowledge(memories[i], net), action, tests[i], KNOWN)
            note_contests(net, known, action, contests[i])
