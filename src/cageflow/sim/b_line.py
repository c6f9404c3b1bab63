"""B_lineAgent: red goes straight for the goal, and falls back a few stages when something fails.

Source: CybORG Agents/SimpleAgents/B_line.py.
"""

import numpy as np
from numba import njit

from cageflow.scenario.enums import RedKind
from cageflow.sim.draws import draw_member
from cageflow.sim.enums import Draw, Outcome

SWEEP, SCAN = RedKind.DISCOVER_REMOTE_SYSTEMS.value, RedKind.DISCOVER_NETWORK_SERVICES.value
EXPLOIT, ESCALATE = RedKind.EXPLOIT_REMOTE_SERVICE.value, RedKind.PRIVILEGE_ESCALATE.value
IMPACT = RedKind.IMPACT.value

# What the stages do, and where: on red's own subnet, its first host, the next one, the relay's subnet, the relay, the
# goal.
STAGE_KIND = np.array(
    [SWEEP, SCAN, EXPLOIT, ESCALATE, SCAN, EXPLOIT, ESCALATE, SWEEP, SCAN, EXPLOIT, ESCALATE, SCAN, EXPLOIT, ESCALATE]
    + [IMPACT],
    np.int8,
)
STAGE_AFTER_FAILURE = np.array([0, 1, 2, 2, 2, 2, 5, 5, 5, 5, 9, 9, 9, 12, 13], np.int8)
LAST_STAGE = 14
EXPLOIT_GOAL_STAGE = 12


@njit(cache=True)
def choose(s, net):
    """Write B-line's next action in `s.red_kind` and `s.red_target`.

    Quirk: D-07, where the first scan of the goal finds nothing, it begins again from the first scan of all.
    Draws: RED_TARGET once an episode, for its first host.
    """
    if s.red_outcome == Outcome.TRUE:
        stage = min(int(s.b_line_stage) + 1, LAST_STAGE)
    else:
        stage = int(STAGE_AFTER_FAILURE[s.b_line_stage])
    if stage == EXPLOIT_GOAL_STAGE and not s.b_line_reached_goal:
        if s.red_connections > 0:
            s.b_line_reached_goal = 1
        else:
            stage = 1
    if stage == 1 and s.b_line_user < 0:
        home = int(net.subnet_hosts[net.subnet[net.start]])
        s.b_line_user = draw_member(s, Draw.RED_TARGET, home & ~(1 << int(net.start)))
    s.b_line_stage = stage
    s.red_kind = STAGE_KIND[stage]
    s.red_target = target_of(s, net, stage)


@njit(cache=True)
def target_of(s, net, stage):
    """The subnet or host that a stage acts on."""
    if stage == 0:
        return net.subnet[net.start]
    if stage <= 3:
        return s.b_line_user
    if stage <= 6:
        return net.b_line_hop[s.b_line_user]
    if stage == 7:
        return net.subnet[net.b_line_hop[s.b_line_user]]
    if stage <= 10:
        return net.relay
    return net.goal
