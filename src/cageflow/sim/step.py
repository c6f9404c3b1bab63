"""The order of a step: the one place that says who acts before whom."""

from numba import njit

from cageflow.scenario.enums import ATTACKERS, RedAgent, RedKind
from cageflow.sim import b_line, blue, green, meander, red_actions
from cageflow.sim.draws import index_of, next_bits
from cageflow.sim.observation import observe
from cageflow.sim.reward import reward_tenths

ATTACKER_IDS = tuple(agent.value for agent in ATTACKERS)

blue_acts, green_acts, red_acts = blue.act, green.act, red_actions.act
b_line_chooses, meander_chooses = b_line.choose, meander.choose


@njit(cache=True)
def step(s, net, params, action):
    """One step of one environment: blue acts, green, red; then blue's monitor looks.

    Args:
        s: the environment; written.
        net: the network's tables.
        params: the run's settings.
        action: number of blue's action.

    Returns:
        Reward in tenths; what blue sees stands in the environment.
    """
    action_cost = blue_acts(s, net, action)
    green_acts(s, net, params)
    red_agent = red_agent_of(s, params)
    if red_agent == RedAgent.B_LINE:
        b_line_chooses(s, net)
    elif red_agent == RedAgent.MEANDER:
        meander_chooses(s, net)
    else:
        s.red_kind = RedKind.SLEEP
    red_acts(s, net, params)
    s.step += 1
    observe(s, params)
    return reward_tenths(s, net, action_cost)


@njit(cache=True)
def red_agent_of(s, params):
    """Who plays red in this episode.

    Draws: which of ATTACKERS, once an episode; no recording has such games, so there is nothing to force.
    """
    if params.red_agent != RedAgent.MIXED:
        return int(params.red_agent)
    if s.red_agent < 0:
        s.red_agent = ATTACKER_IDS[index_of(next_bits(s), len(ATTACKER_IDS))]
    return int(s.red_agent)
