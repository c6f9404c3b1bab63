"""RedMeanderAgent: red takes every host that it can find, and impacts the goal once it holds it.

Source: CybORG Agents/SimpleAgents/Meander.py. It keeps lists of names and addresses; a host has one of each, so both
are bits of a host here.
"""

from numba import njit

from cageflow.scenario.enums import RedKind
from cageflow.sim.draws import draw_member, nth_bit
from cageflow.sim.enums import Draw, Outcome


@njit(cache=True)
def choose(s, net):
    """Write Meander's next action in `s.red_kind` and `s.red_target`.

    Draws: RED_TARGET, for a scan, an escalation or an exploit.
    """
    learn_from_last_action(s, net)
    owned_once, exploited, escalated = int(s.owned_once), int(s.exploited), int(s.escalated)
    unswept = int(s.known_subnets) & ~int(s.swept)
    unscanned = int(s.known_hosts) & ~int(s.scanned)
    # Names that red knows: those it knew from the start, and of hosts that it has once exploited. One that it holds to
    # be lost again (owned once, exploited no more) has to be exploited first.
    unescalated = (owned_once | int(net.start_known)) & ~escalated & ~(owned_once & ~exploited)
    if net.goal >= 0 and escalated >> int(net.goal) & 1:
        s.red_kind = RedKind.IMPACT
        s.red_target = net.goal
    elif unswept:
        s.red_kind = RedKind.DISCOVER_REMOTE_SYSTEMS
        s.red_target = nth_bit(unswept, 0)
        s.swept |= 1 << int(s.red_target)
    elif unscanned:
        s.red_kind = RedKind.DISCOVER_NETWORK_SERVICES
        s.red_target = draw_member(s, Draw.RED_TARGET.value, unscanned)
        s.scanned |= 1 << int(s.red_target)
    elif unescalated:
        s.red_kind = RedKind.PRIVILEGE_ESCALATE
        s.red_target = draw_member(s, Draw.RED_TARGET.value, unescalated)
        s.escalated |= 1 << int(s.red_target)
    else:
        unexploited = int(s.known_hosts) & ~exploited
        if unexploited == 0:  # the original raises an error here
            s.red_kind = RedKind.SLEEP
            s.red_target = -1
            return
        s.red_kind = RedKind.EXPLOIT_REMOTE_SERVICE
        s.red_target = draw_member(s, Draw.RED_TARGET.value, unexploited)
        s.exploited |= 1 << int(s.red_target)


@njit(cache=True)
def learn_from_last_action(s, net):
    """Correct what Meander holds to be its own by the outcome of its last action."""
    host_bit = 1 << max(int(s.red_target), 0)
    if s.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE:
        if s.red_outcome == Outcome.TRUE:
            s.owned_once |= host_bit
        else:
            s.exploited &= ~host_bit
            retreat(s, net)
    elif s.red_outcome == Outcome.FALSE and (s.red_kind == RedKind.PRIVILEGE_ESCALATE or s.red_kind == RedKind.IMPACT):
        s.escalated &= ~host_bit
        s.exploited &= ~(host_bit & int(s.owned_once))


@njit(cache=True)
def retreat(s, net):
    """Give up what red holds in the first group of hosts of which it holds any."""
    for i in range(net.retreats.shape[0]):
        held = int(s.escalated) & int(net.retreats[i])
        if held:
            s.escalated &= ~held
            s.exploited &= ~held
            return
