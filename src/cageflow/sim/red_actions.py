"""Red's actions: what they do, and what connections blue may see of them.

Every rule works from red's first session, so the subnets are judged from the host where red starts.
"""

from numba import njit

from cageflow.scenario.enums import ExploitEffect, RedKind
from cageflow.sim.drawn import restore_loses, scan_forgets
from cageflow.sim.draws import draw_chance, draw_index, index_of, next_bits, unit_of
from cageflow.sim.enums import Draw, Outcome, Tape
from cageflow.sim.hosts import add_user_session, count_sessions, escalate_session, open_ports, red_hosts
from cageflow.sim.reward import set_privileged, stop_service

FREE = Tape.FREE.value


@njit(cache=True)
def attempt(s, net, params):
    """Carry out red's action if red knows what it acts on; otherwise it fails and nothing comes of it.

    Quirk: D-34, red must know the subnet that it sweeps, the address of a host that it scans or exploits, and the name
    of one that it escalates or impacts; names it learns by its exploits alone.
    Source: CybORG Shared/EnvironmentController.py, test_valid_action; Shared/ActionSpace.py, update.
    """
    if knows_target(s, int(s.red_kind), int(s.red_target)):
        s.red_valid = 1
        act(s, net, params)
    else:
        s.red_valid = 0
        wait(s)
        s.red_outcome = Outcome.FALSE


@njit(cache=True)
def knows_target(s, kind, target):
    """Whether red knows what it would act on.

    Args:
        s: any record of `known_subnets`, `known_hosts` and `known_names`, the environment or what red remembers of it.
        kind: RedKind.
        target: subnet or host.
    """
    if kind == RedKind.SLEEP:
        return True
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        return int(s.known_subnets) >> target & 1 != 0
    if kind == RedKind.DISCOVER_NETWORK_SERVICES or kind == RedKind.EXPLOIT_REMOTE_SERVICE:
        return int(s.known_hosts) >> target & 1 != 0
    return int(s.known_names) >> target & 1 != 0


@njit(cache=True)
def act(s, net, params):
    """Carry out the action in `s.red_kind` and `s.red_target`; writes its outcome and what it leaves to be seen."""
    wait(s)
    kind, target = int(s.red_kind), int(s.red_target)
    if kind == RedKind.SLEEP:
        return
    if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
        success = discover_remote_systems(s, net, target)
    elif kind == RedKind.DISCOVER_NETWORK_SERVICES:
        success = discover_network_services(s, net, params, target)
    elif kind == RedKind.EXPLOIT_REMOTE_SERVICE:
        success = exploit_remote_service(s, net, params, target)
    elif kind == RedKind.PRIVILEGE_ESCALATE:
        success = privilege_escalate(s, net, target)
    else:
        success = impact(s, net, target)
    s.red_outcome = Outcome.TRUE if success else Outcome.FALSE


@njit(cache=True)
def wait(s):
    """A step in which red's action is under way: nothing is to be seen of it, and how it goes is unknown."""
    s.exploit = -1
    s.detected = -1
    s.escalated_session = -1
    s.red_connections = 0
    s.red_ports = 0
    s.red_shell_seen = 0
    s.red_outcome = Outcome.UNKNOWN


@njit(cache=True)
def is_reachable(s, net, subnet):
    """Whether red's first host reaches a subnet.

    Quirk: D-04, a guarded subnet opens with any session on a guard, wherever that host stands.
    Source: CybORG Shared/Actions/ConcreteActions/ConcreteAction.py, check_routable.
    """
    return net.is_open[subnet] != 0 or red_hosts(s, int(net.guards[subnet]))


@njit(cache=True)
def discover_remote_systems(s, net, subnet):
    """Sweep a subnet: red learns the addresses of its hosts. Blue sees nothing of it."""
    if not is_reachable(s, net, subnet):
        return False
    s.known_hosts |= net.subnet_hosts[subnet]
    s.known_subnets |= 1 << subnet
    return True


@njit(cache=True)
def discover_network_services(s, net, params, host):
    """Scan the ports of a host: one connection for each that listens.

    Quirk: D-05, the scan of a host out of reach counts as a success and finds nothing, and whatever finds nothing
    leaves what red has seen there as it was.
    Source: CybORG Shared/Actions/AbstractActions/DiscoverNetworkServices.py, ConcreteActions/Portscan.py.
    """
    if is_reachable(s, net, int(net.subnet[host])):
        ports = open_ports(s, net, host)
        s.red_connections = int(net.num_listening[host]) + int(s.num_decoys[host])
        s.red_ports = ports
        if s.red_connections > 0 and scan_forgets(s, params):
            s.ports_seen[host] = ports
        else:
            s.ports_seen[host] |= ports
    return True


@njit(cache=True)
def is_option(s, net, host, exploit):
    """Whether the ports that red has seen on a host make it think of an exploit."""
    seen = int(s.ports_seen[host])
    needed, any_of = int(net.exploit_all[exploit]), int(net.exploit_any[exploit])
    return seen & needed == needed and (any_of == 0 or seen & any_of != 0)


@njit(cache=True)
def choose_exploit(s, net, host):
    """Pick the exploit that ExploitRemoteService tries on a host.

    The option with the most weight is taken with the favourite's probability, otherwise one of the others, all
    equally likely.

    Returns:
        Exploit index, or -1 where red knows none.
    Draws: EXPLOIT, where there is more than one option.
    Source: CybORG Shared/Actions/AbstractActions/ExploitRemoteService.py, DefaultExploitActionSelector.
    """
    num_options = 0
    favourite = -1
    for rank in range(net.exploits_by_weight.shape[0]):
        exploit = int(net.exploits_by_weight[rank])
        if is_option(s, net, host, exploit):
            if num_options == 0:
                favourite = exploit
            num_options += 1
    forced = int(s.forced[Draw.EXPLOIT.value])
    if forced != FREE:
        if num_options > 0 and forced >= 0 and is_option(s, net, host, forced):
            return forced
        if num_options > 0 or forced >= 0:
            s.tape_fault = 1
        return favourite
    if num_options <= 1:
        return favourite
    other = 1 + index_of(next_bits(s), num_options - 1)
    if unit_of(next_bits(s)) < net.favourite_prob:
        return favourite
    for rank in range(net.exploits_by_weight.shape[0]):
        exploit = int(net.exploits_by_weight[rank])
        if is_option(s, net, host, exploit):
            if other == 0:
                return exploit
            other -= 1
    return favourite


@njit(cache=True)
def exploit_remote_service(s, net, params, host):
    """Try to gain a session on a host through one of the ports that red has seen open.

    Quirk: D-06, an exploit that meets a decoy leaves two connections; one that finds no process leaves none.
    Draws: EXPLOIT, then DETECTION for a new reverse shell.
    Source: CybORG Shared/Actions/ConcreteActions/ExploitAction.py and SSHBruteForce.py.
    """
    exploit = choose_exploit(s, net, host)
    s.exploit = exploit
    if exploit < 0 or not is_reachable(s, net, int(net.subnet[host])):
        return False
    has_lost = int(restore_loses(s, params)) & (int(s.restored) >> host & 1)
    effect = int(net.effect[has_lost, exploit, host])
    is_trapped = False
    if effect == ExploitEffect.NO_PROCESS:  # the host's own processes come before decoys
        is_trapped = int(s.decoys[host]) & int(net.exploit_traps[exploit]) != 0
        if not is_trapped:
            return False
    succeeds = effect == ExploitEffect.USER or effect == ExploitEffect.PRIVILEGED
    s.red_ports = net.exploit_port[exploit]
    if net.exploit_is_ssh[exploit]:
        s.red_connections = int(net.guesses) + succeeds
    else:
        s.red_connections = 1 + is_trapped
    if succeeds:
        gain_session(s, net, host, exploit, effect)
    return succeeds


@njit(cache=True)
def gain_session(s, net, host, exploit, effect):
    """Red is in. A reverse shell leaves a file, and blue sees its process with the detection's probability."""
    s.known_names |= 1 << host
    is_removable = False
    if not net.exploit_is_ssh[exploit]:
        s.malware |= 1 << host
        is_removable = draw_chance(s, Draw.DETECTION.value, net.detection_prob)
        s.detected = 1 if is_removable else 0
        if is_removable:
            s.red_connections += 1
            s.red_shell_seen = 1
    if effect == ExploitEffect.PRIVILEGED:
        set_privileged(s, net, host, int(s.privileged[host]) + 1)
    else:
        add_user_session(s, host, is_removable)


@njit(cache=True)
def privilege_escalate(s, net, host):
    """Raise one of red's sessions on a host, and explore it: red learns the addresses that the host knows.

    Where a session is privileged already nothing is drawn and no file is left.
    Draws: SESSION.
    Source: CybORG Shared/Actions/AbstractActions/PrivilegeEscalate.py, ConcreteActions/EscalateAction.py.
    """
    if count_sessions(s, host) == 0:
        return False
    if s.privileged[host] == 0:
        index = draw_index(s, Draw.SESSION.value, count_sessions(s, host))
        s.escalated_session = index
        escalate_session(s, net, host, index)
        s.malware |= 1 << host
    s.known_hosts |= net.reveals[host]
    s.known_subnets |= net.reveals_subnets[host]
    s.known_services |= net.reveals_services[host]
    return True


@njit(cache=True)
def impact(s, net, host):
    """Stop a host's service, once red has explored a host that has it. Any session on the host will do.

    Quirk: D-02, a service that was restored once cannot be stopped again, though red is told that it was.
    Source: CybORG Shared/Actions/AbstractActions/Impact.py, ConcreteActions/StopService.py.
    """
    service = int(net.service[host])
    if count_sessions(s, host) == 0 or service < 0 or not int(s.known_services) >> service & 1:
        return False
    if not int(s.restored) >> host & 1:
        stop_service(s, net, host)
    return True
