"""Blue's reward, in whole tenths: CybORG rounds it to one decimal."""

from numba import njit


@njit(cache=True)
def reward_tenths(s, net, action_cost):
    """What the step costs blue: hosts that red holds with privileges, services that are down, the action.

    Args:
        s: the environment after all have acted; nothing is written.
        net: the network's tables.
        action_cost: of blue's action, in tenths.

    Returns:
        The reward in tenths, never positive.
    Source: CybORG Shared/BlueRewardCalculator.py, Shared/RedRewardCalculator.py.
    """
    # Products in place of branches, which are taken at random here: a quarter of the time of a step.
    cost = int(action_cost)
    for host in range(s.privileged.shape[0]):
        cost += int(net.confidentiality[host]) * (s.privileged[host] > 0)
    for i in range(net.service_hosts.shape[0]):
        host = int(net.service_hosts[i])
        cost += int(net.availability[host]) * (int(s.stopped) >> host & 1)
    return -cost
