"""The order of a step: the one place that says who acts before whom."""

from numba import njit

from cageflow.scenario.enums import ATTACKERS, RedAgent, RedKind
from cageflow.sim import b_line, blue, green, meander, red_actions
from cageflow.sim.draws import index_of, next_bits
from cageflow.sim.observation import observe
from cageflow.sim.reward import reward_tenths

ATTACKER_IDS = tuple(agent.value for agent in ATTACKERS)

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
    if red_agent == RedAgent.B_LINE:
        b_line_chooses(s, net)
    elif red_agent == RedAgent.MEANDER:
        meander_chooses(s, net)
    elif red_agent != RedAgent.GIVEN:
        s.red_kind = RedKind.SLEEP


@njit(cache=True)
def red_agent_of(s, params):
    """Who plays red in this episode: of a mixture who was drawn, else as the settings say.

    Draws: which of ATTACKERS, once an episode; no recording has such games, so there is nothing to force.
    """
    red_agent = int(params.red_agent) if s.mixture_red < 0 else int(s.mixture_red)
    if red_agent != RedAgent.MIXED:
        return red_agent
    if s.red_agent < 0:
        s.red_agent = ATTACKER_IDS[index_of(next_bits(s), len(ATTACKER_IDS))]
    return int(s.red_agent)
