"""B_lineAgent: red goes straight for the goal, and falls back a few stages when something fails.

Its stages are a table made of the network's way: see `cageflow.scenario.b_line`.
Source: CybORG Agents/SimpleAgents/B_line.py.
"""

from numba import njit

from cageflow.sim.draws import draw_member
from cageflow.sim.enums import Draw, Outcome

FIRST_SCAN_STAGE = 1


@njit(cache=True)
def choose(s, net):
    """Write B-line's next action in `s.red_kind` and `s.red_target`.

    Quirk: D-07, where the first scan of the goal finds nothing, it begins again from the first scan of all.
    Draws: RED_TARGET once an episode, for its first host.
    """
    if s.red_outcome == Outcome.TRUE:
        stage = min(int(s.b_line_stage) + 1, net.b_line_kind.shape[0] - 1)
    else:
        stage = int(net.b_line_fallback[s.b_line_stage])
    if stage == net.b_line_goal_stage and not s.b_line_reached_goal:
        if s.red_connections > 0:
            s.b_line_reached_goal = 1
        else:
            stage = FIRST_SCAN_STAGE
    if stage == FIRST_SCAN_STAGE and s.b_line_first < 0:
        s.b_line_first = draw_member(s, Draw.RED_TARGET.value, int(net.b_line_first))
    s.b_line_stage = stage
    s.red_kind = net.b_line_kind[stage]
    s.red_target = net.b_line_target[stage, max(int(s.b_line_first), 0)]
