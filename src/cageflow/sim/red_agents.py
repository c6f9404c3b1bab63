"""Who plays red in a step: one of CybORG's two scripts, what is made of them, or chance.

* mixed: B_lineAgent or RedMeanderAgent, drawn for the episode.
* switch: begins as one of the two, drawn, and goes on as the other from a step on that is drawn too, any of the episode
  but the first being as likely. The other begins at its own beginning, with what red knows and holds by then.
* sleepy-bline, sleepy-meander: the script, but with SLEEPY_PROB it sleeps in a step in which it would begin (B-line:
  take the first of its stages; Meander: sweep a subnet), so that its steps come at times that vary.
* random: any of red's actions in each step, all equally likely, sensible or not.

Draws of this module happen in games that no recording has, so there is nothing to force.
Source: I. J. King, B. Bowman, H. H. Huang, Automated Cyber Defense with Generalizable Graph-based Reinforcement
Learning Agents, 2025, https://arxiv.org/abs/2509.16151, for the sleepy ones; `docs/attackers.md` has how they differ.
"""

from numba import njit

from cageflow.scenario.enums import ATTACKERS, RedAgent, RedKind
from cageflow.sim.draws import index_of, next_bits, unit_of
from cageflow.sim.enums import Outcome

SLEEPY_PROB = 0.5
ATTACKER_IDS = tuple(agent.value for agent in ATTACKERS)
SUM_OF_IDS = sum(ATTACKER_IDS)  # less one of the two it is the other
SWEEP, SCAN = RedKind.DISCOVER_REMOTE_SYSTEMS.value, RedKind.DISCOVER_NETWORK_SERVICES.value


@njit(cache=True)
def red_agent_of(s, params):
    """Who plays red now: of a mixture who was drawn, else as the settings say; of two scripts the one that was drawn.

    Args:
        s: the environment; `red_agent` and `switch_step` are written where they are drawn, and at a switch what the
            next script would take for its own last action.
        params: `red_agent` and `max_steps` are read.

    Draws: which of ATTACKERS, once an episode, for MIXED and SWITCH; then for SWITCH the step of the switch.
    """
    red_agent = int(params.red_agent) if s.mixture_red < 0 else int(s.mixture_red)
    if red_agent != RedAgent.MIXED and red_agent != RedAgent.SWITCH:
        return red_agent
    if s.red_agent < 0:
        s.red_agent = ATTACKER_IDS[index_of(next_bits(s), len(ATTACKER_IDS))]
        if red_agent == RedAgent.SWITCH and params.max_steps > 1:
            s.switch_step = 1 + index_of(next_bits(s), int(params.max_steps) - 1)
    elif 0 < s.switch_step <= s.step:
        s.red_agent = SUM_OF_IDS - s.red_agent
        s.switch_step = 0
        s.red_kind = RedKind.SLEEP
        s.red_outcome = Outcome.UNKNOWN
    return int(s.red_agent)


@njit(cache=True)
def doze(s):
    """Perhaps sleep in place of what was chosen, which the script will then choose again.

    Draws: whether.
    """
    if unit_of(next_bits(s)) < SLEEPY_PROB:
        if s.red_kind == SWEEP:
            s.swept &= ~(1 << int(s.red_target))  # Meander has noted it already
        s.red_kind = RedKind.SLEEP
        s.red_target = -1


@njit(cache=True)
def choose_any(s, net):
    """Write one of all red's actions, in the order of `cageflow.scenario.red_codec`.

    Draws: which.
    """
    num_subnets, num_hosts = net.subnet_hosts.shape[0], net.subnet.shape[0]
    place = index_of(next_bits(s), 1 + num_subnets + 4 * num_hosts) - 1
    if place < 0:
        s.red_kind = RedKind.SLEEP
        s.red_target = -1
    elif place < num_subnets:
        s.red_kind = SWEEP
        s.red_target = place
    else:
        s.red_kind = SCAN + (place - num_subnets) // num_hosts
        s.red_target = (place - num_subnets) % num_hosts
