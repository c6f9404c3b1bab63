"""Blue's reward, in whole tenths: CybORG rounds it to one decimal."""

from numba import njit


@njit(cache=True)
def reward_tenths(s, net, action_cost):
    """What the step costs blue: hosts that red holds with privileges, the service that is down, the action.

    Args:
        s: the environment after all have acted; nothing is written.
        net: the network's tables.
        action_cost: of blue's action, in tenths.

    Returns:
        The reward in tenths, never positive.
    Source: CybORG Shared/BlueRewardCalculator.py, Shared/RedRewardCalculator.py.
    """
    cost = int(action_cost)
    for host in range(s.privileged.shape[0]):
        if s.privileged[host] > 0:
            cost += int(net.confidentiality[host])
    if not s.service_running:
        cost += int(net.availability)
    return -cost
