"""The order of a step: the one place that says who acts before whom."""

from numba import njit

from cageflow.scenario.enums import RedAgent, RedKind
from cageflow.sim import b_line, blue, green, meander, red_actions
from cageflow.sim.observation import observe
from cageflow.sim.red_agents import choose_any, doze, red_agent_of
from cageflow.sim.reward import reward_tenths

blue_acts, blue_acts_in_time = blue.act, blue.act_in_time
green_acts, red_acts, red_waits = green.act, red_actions.attempt, red_actions.wait
red_knows = red_actions.knows_target
b_line_chooses, meander_chooses = b_line.choose, meander.choose


@njit(cache=True)
def step(s, net, params, action):
    """One step of one environment: blue acts, green, red; then blue's monitor looks.

    An action that takes several steps occupies its player until its last, in which it takes effect; one of red's that
    is refused takes a step.

    Args:
        s: the environment; written.
        net: the network's tables.
        params: the run's settings.
        action: number of blue's action.

    Returns:
        Reward in tenths; what blue sees stands in the environment.
    """
    action_cost = blue_acts_in_time(s, net, action) if net.blue_takes_time else blue_acts(s, net, action)
    green_acts(s, net, params)
    if s.red_left == 0:
        red_chooses(s, net, params)
        takes_time = net.red_takes_time != 0 and s.red_kind != RedKind.SLEEP
        if takes_time and red_knows(s, int(s.red_kind), int(s.red_target)):
            s.red_left = net.red_steps[s.red_kind, s.red_target] - 1
    else:
        s.red_left -= 1
    if s.red_left == 0:
        red_acts(s, net, params)
    else:
        red_waits(s)
    s.step += 1
    observe(s, params)
    return reward_tenths(s, action_cost)


@njit(cache=True)
def red_chooses(s, net, params):
    """Write red's next action in `s.red_kind` and `s.red_target`, where it does not stand there already (GIVEN)."""
    red_agent = red_agent_of(s, params)
    slept = s.red_kind == RedKind.SLEEP
    dozes_b_line = red_agent == RedAgent.SLEEPY_B_LINE or red_agent == RedAgent.LATE_B_LINE
    if red_agent == RedAgent.B_LINE or dozes_b_line:
        b_line_chooses(s, net)
    elif red_agent == RedAgent.MEANDER or red_agent == RedAgent.SLEEPY_MEANDER:
        meander_chooses(s, net)
    elif red_agent == RedAgent.RANDOM:
        choose_any(s, net)
    elif red_agent != RedAgent.GIVEN:
        s.red_kind = RedKind.SLEEP
    if dozes_b_line or red_agent == RedAgent.SLEEPY_MEANDER:
        doze(s, red_agent, slept)
