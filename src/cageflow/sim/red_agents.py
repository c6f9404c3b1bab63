"""Who plays red in a step: one of CybORG's two scripts, what is made of them, or chance.

* mixed: B_lineAgent or RedMeanderAgent, drawn for the episode.
* switch: begins as one of the two, drawn, and goes on as the other from a step on that is drawn too, any of the episode
  but the first being as likely. The other begins at its own beginning, with what red knows and holds by then.
* sleepy-bline: B-line, but with SLEEPY_PROB it sleeps in its first step, and then for the whole episode: it repeats at
  each stage what it first did there.
* late-bline: B-line, but with SLEEPY_PROB it sleeps in each step in which it would begin its attack, so that this
  comes at times that vary.
* sleepy-meander: Meander, but with SLEEPY_PROB it sleeps in each step in which it would sweep a subnet.
* random: any of red's actions in each step, all equally likely, sensible or not.

Draws of this module but DOZE happen in games that no recording has, so there is nothing to force.
Source: I. J. King, B. Bowman, H. H. Huang, Automated Cyber Defense with Generalizable Graph-based Reinforcement
Learning Agents, 2025, https://arxiv.org/abs/2509.16151, for the sleepy ones: CC2/custom_red_agents/sleepy.py of
https://github.com/cybermonic/ACD-With-GraphRL.
"""

from numba import njit

from cageflow.scenario.enums import ATTACKERS, RedAgent, RedKind
from cageflow.sim.draws import draw_chance, index_of, next_bits
from cageflow.sim.enums import Draw, Outcome

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
def doze(s, red_agent, slept):
    """Perhaps sleep in place of what a sleepy agent's script has chosen, which it will then choose again.

    Args:
        s: the environment; what was chosen is overwritten.
        red_agent: RedAgent of those that doze.
        slept: whether red did nothing in the step before.

    Draws: DOZE, where a script would begin; of SLEEPY_B_LINE in the first step alone.
    """
    begins = s.red_kind == SWEEP if red_agent == RedAgent.SLEEPY_MEANDER else s.b_line_stage == 0
    if not begins:
        return
    if red_agent == RedAgent.SLEEPY_B_LINE and s.step > 0:
        sleeps = slept
    else:
        sleeps = draw_chance(s, Draw.DOZE.value, SLEEPY_PROB)
    if sleeps:
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
