"""Blue's actions that are under way, in the order in which they were begun.

Any record with `num_busy`, `crew_action` and `crew_left` of one place for each crew: the environment, and what blue
remembers of it. An action occupies a crew until its last step and cannot be called off.

Source: CybORG 4 (CAGE Challenge 4) Simulator/SimulationController.py, `step`: actions_in_progress, remaining_ticks.
"""

from numba import njit

from cageflow.scenario.enums import BlueKind


@njit(cache=True)
def has_free_crew(r):
    """Whether another action can be begun."""
    return r.num_busy < r.crew_action.shape[0]


@njit(cache=True)
def take_on(r, net, action):
    """Begin an action if a crew is free; Sleep and Monitor need none.

    Returns:
        Whether something was begun. What is chosen while all crews are busy does nothing.
    """
    kind = net.action_kind[action]
    if kind == BlueKind.SLEEP or kind == BlueKind.MONITOR or not has_free_crew(r):
        return False
    r.crew_action[r.num_busy] = action
    r.crew_left[r.num_busy] = net.action_steps[action]
    r.num_busy += 1
    return True


@njit(cache=True)
def tick(r):
    """Let a step pass for all that is under way."""
    for i in range(r.num_busy):
        r.crew_left[i] -= 1


@njit(cache=True)
def pop_done(r):
    """An action whose last step this is, the one begun first; -1 if there is none. Its crew is free again."""
    for i in range(r.num_busy):
        if r.crew_left[i] == 0:
            action = int(r.crew_action[i])
            r.num_busy -= 1
            for later in range(i, r.num_busy):
                r.crew_action[later] = r.crew_action[later + 1]
                r.crew_left[later] = r.crew_left[later + 1]
            r.crew_action[r.num_busy] = 0
            r.crew_left[r.num_busy] = 0
            return action
    return -1


@njit(cache=True)
def is_under_way(r, net, kind, host):
    """Whether an action of a kind is under way on a host."""
    for i in range(r.num_busy):
        if net.action_kind[r.crew_action[i]] == kind and net.action_host[r.crew_action[i]] == host:
            return True
    return False
