"""Blue's actions. Monitor runs at the end of every step anyway, so as an action it changes nothing."""

from numba import njit

from cageflow.scenario.enums import BlueKind
from cageflow.sim.crews import pop_done, take_on, tick
from cageflow.sim.draws import draw_member
from cageflow.sim.enums import Compromise, Draw, Outcome
from cageflow.sim.hosts import drop_removable_sessions, drop_sessions
from cageflow.sim.observation import belief, set_belief
from cageflow.sim.reward import start_service


@njit(cache=True)
def act(s, net, action):
    """Carry out blue's action.

    Args:
        s: the environment; the hosts, blue's beliefs and its outcome are written.
        net: the network's tables.
        action: number of the action, 0 <= action < A.

    Returns:
        Cost of the action in tenths of a reward.
    """
    s.new_decoys = 0
    s.files_found = 0
    return carry_out(s, net, action)


@njit(cache=True)
def act_in_time(s, net, action):
    """Likewise where actions take time: begin what blue chose if a crew is free, and carry out what ends in this step.

    Where nothing ends, blue's outcome is unknown.
    """
    s.new_decoys = 0
    s.files_found = 0
    s.blue_outcome = Outcome.TRUE if net.action_kind[action] == BlueKind.MONITOR else Outcome.UNKNOWN
    take_on(s, net, action)
    tick(s)
    cost = 0
    done = pop_done(s)
    while done >= 0:
        cost += carry_out(s, net, done)
        done = pop_done(s)
    return cost


@njit(cache=True)
def carry_out(s, net, action):
    """The effect of an action, and its cost in tenths of a reward."""
    kind = int(net.action_kind[action])
    host = int(net.action_host[action])
    s.blue_outcome = Outcome.TRUE
    if kind == BlueKind.SLEEP:
        s.blue_outcome = Outcome.UNKNOWN
    elif kind == BlueKind.ANALYSE:
        analyse(s, host)
    elif kind == BlueKind.REMOVE:
        remove(s, host)
    elif kind == BlueKind.DECOY:
        plant_decoy(s, net, host, int(net.action_decoy[action]))
    elif kind == BlueKind.RESTORE:
        restore(s, net, host)
        return int(net.restore_cost)
    return 0


@njit(cache=True)
def analyse(s, host):
    """Look for red's files: a reverse shell and an escalation leave some, a login with a guessed password does not.

    Quirk: D-03, files outlive the session that left them.
    Source: CybORG Shared/Actions/AbstractActions/Analyse.py, ConcreteActions/DensityScout.py.
    """
    if int(s.malware) >> host & 1:
        s.files_found |= 1 << host


@njit(cache=True)
def remove(s, host):
    """Stop the processes that blue has seen to be red's, if their user is not privileged.

    Quirk: D-01, sessions over SSH and undetected shells are never among them.
    Source: CybORG Shared/Actions/AbstractActions/Remove.py, ConcreteActions/StopProcess.py.
    """
    drop_removable_sessions(s, host)
    if belief(s, host) != Compromise.NO:
        set_belief(s, host, Compromise.UNKNOWN.value)


@njit(cache=True)
def fitting_decoys(s, net, host, decoy):
    """Which decoys an action can plant on a host.

    Args:
        s: any record of `decoys`, the environment or what blue remembers of it.
        net: the network's tables.
        host: its index.
        decoy: index of the first decoy of the action.

    Returns:
        Decoy mask; most actions plant one decoy and no other.
    """
    if int(net.decoy_choices[decoy]) == 1 << decoy:
        return 1 << decoy if has_room(s, net, host, decoy) else 0
    fitting = 0
    for other in range(net.decoy_choices.shape[0]):
        if int(net.decoy_choices[decoy]) >> other & 1 and has_room(s, net, host, other):
            fitting |= 1 << other
    return fitting


@njit(cache=True)
def has_room(s, net, host, decoy):
    """Whether one decoy can be planted on a host."""
    return int(net.decoy_fits[host]) >> decoy & 1 != 0 and int(s.decoys[host]) & int(net.decoy_rivals[decoy]) == 0


@njit(cache=True)
def plant_decoy(s, net, host, decoy):
    """Plant a decoy where the system is right and its port is free.

    Quirk: D-10, DecoyVsftpd asks for port 21 and opens port 80, so that it can be planted any number of times.
    Source: CybORG Shared/Actions/ConcreteActions/Decoy*.py.
    """
    if int(net.decoy_choices[decoy]) != 1 << decoy:
        plant_one_of_several(s, net, host, decoy)
    elif has_room(s, net, host, decoy):
        plant(s, net, host, decoy)
    else:
        s.blue_outcome = Outcome.FALSE


@njit(cache=True)
def plant_one_of_several(s, net, host, decoy):
    """Likewise where the action plants one of several decoys.

    Draws: DECOY.
    """
    fitting = fitting_decoys(s, net, host, decoy)
    if fitting != 0:
        plant(s, net, host, draw_member(s, Draw.DECOY.value, fitting))
    else:
        s.blue_outcome = Outcome.FALSE


@njit(cache=True)
def plant(s, net, host, decoy):
    """A decoy stands on a host."""
    s.decoys[host] |= 1 << decoy
    s.decoy_ports[host] |= net.decoy_port[decoy]
    s.num_decoys[host] += 1
    s.new_decoys |= 1 << host


@njit(cache=True)
def restore(s, net, host):
    """Bring a host back to its first state: red's sessions and files go, and so do blue's decoys.

    Quirk: D-02, a service that was restored once runs for the rest of the episode.
    Source: CybORG Shared/Actions/ConcreteActions/RestoreFromBackup.py, Simulator/Host.py.
    """
    drop_sessions(s, net, host)
    s.decoys[host] = 0
    s.decoy_ports[host] = 0
    s.num_decoys[host] = 0
    s.malware &= ~(1 << host)
    s.restored |= 1 << host
    set_belief(s, host, Compromise.NO.value)
    start_service(s, net, host)
