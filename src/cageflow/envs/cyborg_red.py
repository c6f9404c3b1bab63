"""Red as the caller plays it in an installed CybORG, and what the original tells it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from cageflow.scenario import Network, RedKind
from cageflow.scenario.cyborg.images import SERVICE
from cageflow.sim.enums import Outcome
from cageflow.sim.state import Array, new_states

AGENT, SESSION = "Red", 0
"""Red acts from its first session."""
RED_KINDS = {
    "Sleep": RedKind.SLEEP,
    "DiscoverRemoteSystems": RedKind.DISCOVER_REMOTE_SYSTEMS,
    "DiscoverNetworkServices": RedKind.DISCOVER_NETWORK_SERVICES,
    "ExploitRemoteService": RedKind.EXPLOIT_REMOTE_SERVICE,
    "PrivilegeEscalate": RedKind.PRIVILEGE_ESCALATE,
    "Impact": RedKind.IMPACT,
}
"""CybORG's names of red's actions."""
OUTCOMES = {"FALSE": Outcome.FALSE, "TRUE": Outcome.TRUE, "UNKNOWN": Outcome.UNKNOWN}
"""CybORG's words for how an action went."""


class GivenRed:
    """A red agent for CybORG that does what the caller wrote in `action`, sensible or not.

    Args:
        network: the network that is played.

    Attributes:
        action: number of the red action of the next step.
        controller: CybORG's environment controller, to be set before the first step; addresses are looked up in it.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.action = 0
        self.controller: Any = None

    def __call__(self) -> GivenRed:
        """CybORG makes its agents from classes; this one is at hand."""
        return self

    def set_initial_values(self, action_space: Any, observation: Any) -> None:
        """Nothing is needed of these."""

    def get_action(self, observation: Any, action_space: Any) -> Any:
        """The action, as CybORG takes it; a host is given by the address that it truly has, known to red or not."""
        actions = importlib.import_module("CybORG.Shared.Actions")
        codec = self.network.red_codec
        kind, target = RedKind(int(codec.kinds[self.action])), int(codec.targets[self.action])
        if kind == RedKind.SLEEP:
            return actions.Sleep()
        make = getattr(actions, next(name for name, known in RED_KINDS.items() if known == kind))
        if kind == RedKind.DISCOVER_REMOTE_SYSTEMS:
            return make(session=SESSION, agent=AGENT, subnet=self._cidr(self.network.subnets[target]))
        host = self.network.hosts[target]
        if kind in (RedKind.DISCOVER_NETWORK_SERVICES, RedKind.EXPLOIT_REMOTE_SERVICE):
            return make(session=SESSION, agent=AGENT, ip_address=self.controller.hostname_ip_map[host])
        return make(session=SESSION, agent=AGENT, hostname=host)

    def train(self, results: Any) -> None:
        """Nothing is learned."""

    def end_episode(self) -> None:
        """Nothing is kept."""

    def _cidr(self, subnet: str) -> Any:
        return self.controller.subnet_cidr_map[subnet]


def read_action(controller: Any, network: Network) -> tuple[RedKind, int, bool]:
    """What red did in the last step: its kind, its target or -1, and whether CybORG let it stand."""
    action = controller.action[AGENT]
    is_valid = type(action).__name__ != "InvalidAction"
    if not is_valid:
        action = action.action
    kind, target = RED_KINDS[type(action).__name__], -1
    if hasattr(action, "subnet"):
        names = {cidr: name for name, cidr in controller.subnet_cidr_map.items()}
        target = network.subnets.index(names[action.subnet])
    elif hasattr(action, "ip_address"):
        target = network.hosts.index(controller.state.ip_addresses[action.ip_address])
    elif hasattr(action, "hostname"):
        target = network.hosts.index(action.hostname)
    return kind, target, is_valid


def what_red_was_told(cyborg: Any, network: Network) -> Array:
    """(1,) environment of the simulator that holds what red knows in CybORG and how its last action went, and no more.

    It is what `cageflow.envs.red_memory.RedMemory.update` reads.
    """
    states = new_states(network, 1)
    tell_red(states[0], cyborg, network)
    return np.asarray(states)


def tell_red(s: Any, cyborg: Any, network: Network) -> None:
    """Write what red knows in CybORG, and how its last action went, into a record of the simulator's environments.

    Args:
        s: the record; what an agent of ours remembers of its own there is left as it is.
        cyborg: the CybORG object.
        network: that is played.
    """
    controller = cyborg.environment_controller
    space, session = controller.get_action_space(AGENT), controller.state.sessions[AGENT][SESSION]
    cidrs, addresses = controller.subnet_cidr_map, controller.hostname_ip_map
    s.known_subnets = sum(1 << i for i, name in enumerate(network.subnets) if space["subnet"].get(cidrs[name], False))
    hosts = range(len(network.hosts))
    s.known_hosts = sum(1 << i for i in hosts if space["ip_address"].get(addresses[network.hosts[i]], False))
    s.known_names = sum(1 << i for i in hosts if space["hostname"].get(network.hosts[i], False))
    s.known_services = 0 if session.ot_service is None else 1 << network.services.index(SERVICE)
    for ip_address, ports in session.ports.items():
        host = network.hosts.index(controller.state.ip_addresses[ip_address])
        s.ports_seen[host] = network.port_mask(port for port in set(ports) if port in network.ports)
    if AGENT in controller.action:
        observation = cyborg.get_observation(AGENT)
        s.step += 1
        s.red_kind, s.red_target, s.red_valid = read_action(controller, network)
        s.red_outcome = OUTCOMES[str(observation["success"]).upper()]
        s.red_connections = len(observation) - 1  # hosts that it saw something of: after a scan none or one
