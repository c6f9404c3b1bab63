"""Blue's reward, in whole tenths: CybORG rounds it to one decimal.

What each step costs as things stand, `s.standing_cost`, is kept up to date where red gains or loses its privileges on a
host and where a service stops or runs again, so that a step need not look at every host.
"""

from numba import njit


@njit(cache=True)
def reward_tenths(s, action_cost):
    """What the step costs blue: hosts that red holds with privileges, services that are down, the action.

    Args:
        s: the environment after all have acted; nothing is written.
        action_cost: of blue's action, in tenths.

    Returns:
        The reward in tenths, never positive.
    Source: CybORG Shared/BlueRewardCalculator.py, Shared/RedRewardCalculator.py.
    """
    return -(int(action_cost) + int(s.standing_cost))


@njit(cache=True)
def set_privileged(s, net, host, num_sessions):
    """Let red hold so many privileged sessions on a host; one costs what several do."""
    is_held, was_held = num_sessions > 0, s.privileged[host] > 0
    s.standing_cost += int(net.confidentiality[host]) * (int(is_held) - int(was_held))
    s.privileged[host] = num_sessions


@njit(cache=True)
def stop_service(s, net, host):
    """Let the service of a host be down."""
    if not int(s.stopped) >> host & 1:
        s.standing_cost += net.availability[host]
        s.stopped |= 1 << host


@njit(cache=True)
def start_service(s, net, host):
    """Let the service of a host run."""
    if int(s.stopped) >> host & 1:
        s.standing_cost -= net.availability[host]
        s.stopped &= ~(1 << host)
