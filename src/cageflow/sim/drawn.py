"""What may be drawn for an episode, where the settings do not fix it; blue is told none of it.

Who plays red is likewise: see `red_agents.red_agent_of`.
"""

from numba import njit

from cageflow.sim.draws import index_of, next_bits


@njit(cache=True)
def plays_challenge(s):
    """Whether an episode whose rules are drawn plays "challenge", else "v2.1"; kept in `s.rules`.

    Draws: which, once an episode; no recording has such games, so there is nothing to force.
    """
    if s.rules < 0:
        s.rules = index_of(next_bits(s), 2)
    return s.rules == 1


@njit(cache=True)
def scan_forgets(s, params):
    """Whether a new port scan replaces what an earlier one of that host found, as under "v2.1"."""
    if params.rules_drawn:
        return not plays_challenge(s)
    return params.scan_forgets != 0


@njit(cache=True)
def restore_loses(s, params):
    """Whether a restored host loses the properties in `lost_on_restore`, as under "challenge"."""
    if params.rules_drawn:
        return plays_challenge(s)
    return params.restore_loses != 0


@njit(cache=True)
def green_is_awake(s, params):
    """Whether the green agent is awake: as was drawn, or as the settings say."""
    if s.green < 0:
        return params.green_awake != 0
    return s.green == 1
