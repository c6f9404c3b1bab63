"""Whether blue's fixes follow a workflow, and what that earns.

A fix is a Remove or a Restore. It complies when its target's unit type is the highest-priority one that is compromised
in the true state just before the action; with no type compromised every fix complies. One that takes several steps is
judged when it is chosen, and one that is chosen while all crews are busy is none. A host is compromised while a red
session is on it.

Two definitions differ in which hosts count: `any-session` counts all, so that in CAGE-2 `user` is always compromised
(red never loses its first host); `evictable` leaves out the hosts that blue can never clean.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.errors import UserError
from cageflow.scenario import BlueKind, Network
from cageflow.scenario.orders import Order
from cageflow.sim.crews import has_free_crew
from cageflow.sim.handover import plain, row
from cageflow.sim.hosts import count_sessions

WorkflowMode = Literal["rewarded", "enforced"]
"""How a policy is brought to follow its order: by a reward for it, or by masks that let it do nothing else."""
DEFINITIONS: tuple[str, ...] = ("any-session", "evictable")
COMPLIANCE_WITHOUT_FIX = 0.5
PENALTY_WITHOUT_FIX = -0.2  # in units of lambda, at the end of an episode without any fix

REMOVE, RESTORE = BlueKind.REMOVE.value, BlueKind.RESTORE.value


class ComplianceTracker:
    """Compliance and alignment reward of a batch of episodes that run in step.

    Attributes:
        fixes: (B,) int32 fixes so far.
        compliant_fixes: (B,) int32 of them, those that comply.

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
        self._counted = counted_hosts(network, definition)
        self._nets = row(network.tables)
        self._order = network.orders.indices(order)
        self._lambda = alignment_lambda
        self.fixes = np.zeros(num_envs, np.int32)
        self.compliant_fixes = np.zeros(num_envs, np.int32)

    def score_states(
        self, states: npt.NDArray[Any], actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Judge the actions that are about to be taken in the compiled simulator.

        Args:
            states: (B,) simulator records before the actions.
            actions: (B,) action numbers.
            rewards: (B,) float32; overwritten with the alignment reward.
        """
        score_states(
            plain(states),
            self._nets,
            self._order,
            self._counted,
            self._lambda,
            actions,
            self.fixes,
            self.compliant_fixes,
            rewards,
        )

    def score_sessions(
        self, sessions: npt.NDArray[np.integer], actions: npt.NDArray[np.integer], rewards: npt.NDArray[np.float32]
    ) -> None:
        """Judge the actions that are about to be taken in any other simulator.

        Args:
            sessions: (B, H) red sessions on each host before the actions, of any level.
            actions: (B,) action numbers.
            rewards: (B,) float32; overwritten with the alignment reward.
        """
        score_sessions(
            sessions,
            self._nets,
            self._order,
            self._counted,
            self._lambda,
            actions,
            self.fixes,
            self.compliant_fixes,
            rewards,
        )

    def end_rewards(self) -> npt.NDArray[np.float32]:
        """(B,) float32: what the end of the episode adds, the penalty where blue fixed nothing."""
        return np.where(self.fixes == 0, np.float32(PENALTY_WITHOUT_FIX * self._lambda), np.float32(0.0))

    def compliance(self) -> npt.NDArray[np.float64]:
        """(B,) float64: share of compliant fixes so far, COMPLIANCE_WITHOUT_FIX where there is none."""
        share = self.compliant_fixes / np.maximum(self.fixes, 1)
        return np.where(self.fixes == 0, COMPLIANCE_WITHOUT_FIX, share)

    def restart(self) -> None:
        """Begin new episodes in all environments."""
        self.fixes.fill(0)
        self.compliant_fixes.fill(0)


def counted_hosts(network: Network, definition: str) -> int:
    """Mask of the hosts that can count as compromised.

    Raises:
        UserError: an unknown definition.
    """
    if definition not in DEFINITIONS:
        raise UserError(f"unknown definition of compromised {definition!r}: choose one of {', '.join(DEFINITIONS)}")
    hosts = (1 << len(network.hosts)) - 1
    starts = (network.tables["start_privileged"] > 0) | (network.tables["start_user"] > 0)
    return hosts if definition == "any-session" else hosts & ~sum(1 << int(host) for host in np.flatnonzero(starts))


@njit(cache=True)
def is_compliant(compromised_types, order, unit_type):
    """Whether a fix of a host of this type follows the order.

    Args:
        compromised_types: mask of the unit types that are compromised.
        order: (5,) int8 unit types, highest priority first.
        unit_type: of the target.
    """
    for position in range(order.shape[0]):
        if compromised_types >> order[position] & 1:
            return order[position] == unit_type
    return True


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
def score_states(states, nets, order, counted, alignment_lambda, actions, fixes, compliant_fixes, rewards):
    """`ComplianceTracker.score_states`, compiled; `nets` is (1,) the network's tables."""
    net = nets[0]
    for i in range(states.shape[0]):
        rewards[i] = 0.0
        if is_fix(net, actions[i]) and has_free_crew(states[i]):
            types = 0
            for host in range(net.unit_type.shape[0]):
                if counted >> host & 1 and count_sessions(states[i], host) > 0:
                    types |= 1 << net.unit_type[host]
            rewards[i] = score_fix(net, order, alignment_lambda, types, actions[i], fixes, compliant_fixes, i)


@njit(cache=True, nogil=True)
def score_sessions(sessions, nets, order, counted, alignment_lambda, actions, fixes, compliant_fixes, rewards):
    """`ComplianceTracker.score_sessions`, compiled; `nets` is (1,) the network's tables."""
    net = nets[0]
    for i in range(sessions.shape[0]):
        rewards[i] = 0.0
        if is_fix(net, actions[i]):
            types = 0
            for host in range(net.unit_type.shape[0]):
                if counted >> host & 1 and sessions[i, host] > 0:
                    types |= 1 << net.unit_type[host]
            rewards[i] = score_fix(net, order, alignment_lambda, types, actions[i], fixes, compliant_fixes, i)
