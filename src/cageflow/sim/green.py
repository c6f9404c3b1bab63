"""Green: ordinary users, whose port scans look like red's."""

from numba import njit

from cageflow.sim.drawn import green_is_awake
from cageflow.sim.draws import draw_chance, draw_member
from cageflow.sim.enums import Draw, Tape
from cageflow.sim.hosts import open_ports

FREE = Tape.FREE.value


@njit(cache=True)
def act(s, net, params):
    """Scan the ports of a random host, or sleep; in CAGE-2 both are equally likely.

    Args:
        s: the environment; `green_scan` and what it leaves to be seen are written.
        net: the network's tables.
        params: the run's settings.
    Draws: GREEN_SCAN.
    Source: CybORG Agents/SimpleAgents/GreenAgent.py, Shared/Actions/GreenActions/GreenPortScan.py.
    """
    s.green_scan = -1
    s.green_connections = 0
    if not green_is_awake(s, params) or net.green_hosts == 0:
        return
    forced = int(s.forced[Draw.GREEN_SCAN.value])
    if forced == FREE:
        wakes = draw_chance(s, Draw.GREEN_SCAN.value, net.green_prob)
    else:
        wakes = forced >= 0
    if wakes:
        host = draw_member(s, Draw.GREEN_SCAN.value, int(net.green_hosts))
        s.green_scan = host
        s.green_connections = int(net.num_listening[host]) + int(s.num_decoys[host])
        s.green_ports = open_ports(s, net, host)
