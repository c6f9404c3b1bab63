"""From a checked scenario to the tables that the rules read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.scenario.actions import ActionCodec
from cageflow.scenario.b_line import Stages, Way, find_way, given_way, make_stages
from cageflow.scenario.durations import steps_of, with_durations, without_time
from cageflow.scenario.enums import BlueKind, RedKind
from cageflow.scenario.identity import NetworkIdentity, action_set_of, fingerprint_of
from cageflow.scenario.masks import mask_type
from cageflow.scenario.orders import OrderSpace
from cageflow.scenario.reach import effect_of, guards_of
from cageflow.scenario.red_bits import red_bits
from cageflow.scenario.red_codec import RED_WORDS, RedCodec
from cageflow.scenario.schema import Durations, Protocol, Scenario, decoy_actions, load_scenario, ranked_types


@dataclass(frozen=True)
class Network:
    """A scenario with its names in table order and its compiled tables.

    H hosts, S subnets, E exploits, D decoys, A actions. Masks hold one bit per host, port or decoy.

    A process has one object for each content that it asks `shared` for: what is worked out once then serves all. It is
    pickled as its content and unpickled as the object of that content.
    """

    scenario: Scenario

    @classmethod
    def shared(cls, scenario: Scenario) -> Network:
        """The one object of this content in this process."""
        return _shared(scenario.model_dump_json())

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _shared, (self.scenario.model_dump_json(),)

    def with_durations(self, durations: Durations) -> Network:
        """The same network with these durations on all hosts."""
        return Network.shared(with_durations(self.scenario, durations))

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """(H,) names, in the order of blue's table."""
        return tuple(self.scenario.hosts)

    @cached_property
    def subnets(self) -> tuple[str, ...]:
        """(S,) names, in the order in which red looks for one to sweep."""
        return tuple(self.scenario.subnets)

    @cached_property
    def exploits(self) -> tuple[str, ...]:
        """(E,) names."""
        return tuple(self.scenario.exploits)

    @cached_property
    def decoys(self) -> tuple[str, ...]:
        """(D,) names of the services that decoys pretend to be."""
        return tuple(decoy.service for decoy in self.scenario.decoys.values())

    @cached_property
    def ports(self) -> tuple[int, ...]:
        """Every port that a process, a decoy or an exploit names, ascending; bit i of a port mask is `ports[i]`."""
        s = self.scenario
        ports = {port for host in s.hosts.values() for process in host.processes for port in process.ports}
        ports |= {port for decoy in s.decoys.values() for port in (decoy.port, decoy.needed_port)}
        for exploit in s.exploits.values():
            ports |= {exploit.port, *exploit.scan_all, *exploit.scan_any}
        return tuple(sorted(ports))

    @cached_property
    def codec(self) -> ActionCodec:
        """Blue's action numbers."""
        names = [decoy.action or name for name, decoy in self.scenario.decoys.items()]
        actions = decoy_actions(self.scenario)
        return ActionCodec.build(self.hosts, actions, [names.index(action) for action in actions])

    @cached_property
    def red_codec(self) -> RedCodec:
        """Red's action numbers."""
        return RedCodec.build(self.hosts, self.subnets)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Names of the services that Impact stops, each once; hosts may share one."""
        return tuple(dict.fromkeys(host.service for host in self.scenario.hosts.values() if host.service is not None))

    @cached_property
    def unit_types(self) -> tuple[str, ...]:
        """Names of the unit types that a host has, in the order of their ids: those that a workflow ranks."""
        return ranked_types(self.scenario)

    @cached_property
    def orders(self) -> OrderSpace:
        """All workflow orders: those of `unit_types`, some with the names that the file gives them."""
        named = {name: tuple(order) for name, order in self.scenario.workflows.items()}
        return OrderSpace(self.unit_types, named)

    @cached_property
    def host_unit_type(self) -> npt.NDArray[np.int8]:
        """(H,) int8 index into `unit_types`."""
        return np.array([self.unit_types.index(host.unit_type) for host in self.scenario.hosts.values()], np.int8)

    @cached_property
    def blue_takes_time(self) -> bool:
        """Whether any of blue's actions takes more than one step."""
        return bool(self.tables["blue_takes_time"])

    @cached_property
    def b_line_way(self) -> Way | str:
        """The way of B_lineAgent, as the file gives it or the shortest; a reason in words where there is none."""
        return given_way(self.scenario) if self.scenario.red.b_line is not None else find_way(self.scenario)

    @property
    def num_observations(self) -> int:
        """Length of blue's vector: four bits a host."""
        return 4 * len(self.hosts)

    @cached_property
    def red_ports(self) -> tuple[int, ...]:
        """The ports of which red's exploits ask whether they are open, ascending."""
        exploits = self.scenario.exploits.values()
        return tuple(sorted({port for exploit in exploits for port in (*exploit.scan_all, *exploit.scan_any)}))

    @cached_property
    def red_bits(self) -> tuple[str, ...]:
        """Names of the bits that red sees, see `cageflow.scenario.red_bits`."""
        takes_time = bool(self.tables["red_takes_time"])
        return red_bits(self.hosts, self.subnets, self.red_ports, self.services, takes_time=takes_time)

    @property
    def num_red_observations(self) -> int:
        """Length of red's vector."""
        return len(self.red_bits)

    @cached_property
    def tables(self) -> Any:
        """One read-only record of `tables_dtype`: all that the rules know of the network."""
        return _compile(self)

    @cached_property
    def fingerprint(self) -> str:
        """Of the content, see `identity.fingerprint_of`; two networks with the same are the same game.

        The protocol is no part of it: it says how policies are judged, and not what they play.
        """
        return _fingerprint(self.scenario)

    @cached_property
    def identity(self) -> NetworkIdentity:
        """What files say of the network that they were made for."""
        timeless = _fingerprint(without_time(self.scenario))
        return NetworkIdentity(self.scenario.name, self.fingerprint, self.hosts, self.unit_types, timeless)

    @cached_property
    def action_set(self) -> str:
        """What blue's action numbers mean, see `identity.action_set_of`."""
        return action_set_of(self.codec.names)

    def host_mask(self, names: Iterable[str]) -> int:
        """The bits of these hosts; a host named twice counts once."""
        return sum(1 << self.hosts.index(name) for name in set(names))

    def port_mask(self, ports: Iterable[int]) -> int:
        """The bits of these ports; a port named twice counts once."""
        return sum(1 << self.ports.index(port) for port in set(ports))


@lru_cache(maxsize=64)
def _shared(content: str) -> Network:
    """The object of a content, which is what `Scenario.model_dump_json` gives."""
    return Network(Scenario.model_validate_json(content))


@lru_cache(maxsize=1)
def default_network() -> Network:
    """The network of CAGE Challenge 2."""
    return Network.shared(load_scenario())


def _fingerprint(scenario: Scenario) -> str:
    return fingerprint_of(scenario.model_copy(update={"protocol": Protocol()}))


def is_cage2(network: NetworkIdentity) -> bool:
    """Whether it is the network of CAGE Challenge 2, by its content."""
    return network.fingerprint == default_network().fingerprint


def tables_dtype(network: Network) -> np.dtype:
    """Layout of the tables of a network. Costs are in tenths of a reward."""
    h, s, e, d = (len(names) for names in (network.hosts, network.subnets, network.exploits, network.decoys))
    d = max(d, 1)  # a record cannot hold an empty list
    num_retreats, num_actions = max(len(network.scenario.red.meander_retreats), 1), len(network.codec)
    hosts, ports, decoys = mask_type(h), mask_type(len(network.ports)), mask_type(d)
    subnets, services, num_stages = mask_type(s), mask_type(len(network.services)), len(_stages(network).kinds)
    return np.dtype(
        [
            ("favourite_prob", np.float64),
            ("detection_prob", np.float64),
            ("listening", ports, (h,)),  # port mask
            ("decoy_port", ports, (d,)),  # port mask of one
            ("exploit_all", ports, (e,)),  # port mask
            ("exploit_any", ports, (e,)),  # port mask, 0 asks for nothing
            ("exploit_port", ports, (e,)),  # port mask of one
            ("subnet_hosts", hosts, (s,)),  # host mask
            ("is_open", np.int8, (s,)),  # to traffic from red's first host
            ("guards", hosts, (s,)),  # host mask, of those that let red into a subnet which is not open
            ("reveals", hosts, (h,)),  # host mask
            ("reveals_subnets", subnets, (h,)),  # subnet mask
            ("reveals_services", services, (h,)),  # mask of `Network.services`
            ("retreats", hosts, (num_retreats,)),  # host masks
            ("green_hosts", hosts),
            ("green_prob", np.float64),
            ("confidentiality", np.int16, (h,)),
            ("availability", np.int16, (h,)),
            ("restore_cost", np.int16),
            ("num_listening", np.int16, (h,)),  # connections, the same port twice counted twice
            ("decoy_fits", decoys, (h,)),  # decoy mask, as far as the host itself is concerned
            ("decoy_choices", decoys, (d,)),  # decoy mask, of those that the same action plants, one by chance
            ("decoy_rivals", decoys, (d,)),  # decoy mask, of those that open the port which this one needs free
            ("exploit_traps", decoys, (e,)),  # decoy mask
            ("exploit_is_ssh", np.int8, (e,)),
            ("exploits_by_weight", np.int8, (e,)),  # most weight first
            ("effect", np.int8, (2, e, h)),  # ExploitEffect; [1] after the host lost `lost_on_restore`
            ("unit_type", np.int8, (h,)),
            ("subnet", np.int8, (h,)),
            ("service", np.int8, (h,)),  # place in `Network.services`, -1 for none
            ("b_line_kind", np.int8, (num_stages,)),  # RedKind of each stage
            ("b_line_fallback", np.int8, (num_stages,)),  # stage after a failure
            ("b_line_target", np.int8, (num_stages, h)),  # subnet or host, by the first host that it chose
            ("b_line_first", hosts),  # host mask, of those it draws the first from
            ("b_line_goal_stage", np.int8),  # that exploits the goal
            ("start", np.int8),  # the host that red acts from
            ("start_privileged", np.int16, (h,)),  # sessions that red begins with and never loses
            ("start_user", np.int16, (h,)),
            ("start_known", hosts),  # host mask, of those that red knows from the start
            ("start_subnets", subnets),  # subnet mask, likewise
            ("goal", np.int8),  # -1 for none
            ("guesses", np.int16),
            ("blue_takes_time", np.int8),  # some action takes more than a step
            ("red_takes_time", np.int8),
            ("action_steps", np.int16, (num_actions,)),
            ("red_steps", np.int16, (len(RedKind), max(h, s))),  # by kind, and host or subnet
            ("action_kind", np.int8, (num_actions,)),
            ("action_host", np.int8, (num_actions,)),
            ("action_decoy", np.int8, (num_actions,)),
        ],
        align=True,
    )


def _compile(network: Network) -> Any:
    scenario = network.scenario
    hosts = list(scenario.hosts.values())
    exploits = list(scenario.exploits.values())
    decoys = list(scenario.decoys.values())
    red = scenario.red
    t = np.zeros((), tables_dtype(network))

    def tenths(value: float) -> int:
        return round(value * 10)

    t["favourite_prob"] = scenario.favourite_probability
    t["detection_prob"] = scenario.detection_probability
    t["guesses"] = scenario.guesses
    t["restore_cost"] = tenths(scenario.restore_cost)
    for i, host in enumerate(hosts):
        open_ports = [port for process in host.processes for port in process.ports]
        t["listening"][i] = network.port_mask(open_ports)
        t["num_listening"][i] = len(open_ports)
        t["reveals"][i] = network.host_mask(host.reveals)
        t["confidentiality"][i] = tenths(scenario.values[host.confidentiality])
        t["subnet"][i] = network.subnets.index(host.subnet)
        t["subnet_hosts"][t["subnet"][i]] |= 1 << i
        for d, decoy in enumerate(decoys):
            if decoy.needed_port not in open_ports and decoy.os in (None, host.os):
                t["decoy_fits"][i] |= 1 << d
        if host.availability is not None and host.service is not None:
            t["availability"][i] = tenths(scenario.values[host.availability])
        t["service"][i] = network.services.index(host.service) if host.service is not None else -1
        t["reveals_subnets"][i] = host.reveals_subnet << int(t["subnet"][i])
        t["reveals_services"][i] = host.reveals_service << int(t["service"][i]) if host.service is not None else 0
        for e, exploit in enumerate(exploits):
            t["effect"][0, e, i] = effect_of(host, exploit, lost=())
            t["effect"][1, e, i] = effect_of(host, exploit, lost=scenario.lost_on_restore)
    for e, exploit in enumerate(exploits):
        t["exploit_all"][e] = network.port_mask(exploit.scan_all)
        t["exploit_any"][e] = network.port_mask(exploit.scan_any)
        t["exploit_port"][e] = network.port_mask([exploit.port])
        t["exploit_is_ssh"][e] = exploit.technique == "ssh"
        for d, decoy in enumerate(decoys):
            if decoy.port == exploit.port and decoy.type == exploit.type:
                t["exploit_traps"][e] |= 1 << d
    t["exploits_by_weight"] = sorted(range(len(exploits)), key=lambda e: -exploits[e].weight)
    actions = [decoy.action or name for name, decoy in scenario.decoys.items()]
    for d, decoy in enumerate(decoys):
        t["decoy_choices"][d] = sum(1 << i for i, action in enumerate(actions) if action == actions[d])
        t["decoy_port"][d] = network.port_mask([decoy.port])
        t["decoy_rivals"][d] = sum(1 << i for i, other in enumerate(decoys) if other.port == decoy.needed_port)
    for i, name in enumerate(network.subnets):
        guards = guards_of(scenario, name, scenario.hosts[red.start].subnet)
        t["is_open"][i] = guards is None
        t["guards"][i] = network.host_mask(guards or ())
    for i, group in enumerate(red.meander_retreats):
        t["retreats"][i] = network.host_mask(group)
    t["green_hosts"] = network.host_mask(scenario.green_hosts)
    t["green_prob"] = scenario.green_probability
    t["unit_type"] = network.host_unit_type
    t["start"] = network.hosts.index(red.start)
    sessions = [(red.start, red.access), *((foothold.host, foothold.access) for foothold in red.footholds)]
    for name, access in sessions:
        t[f"start_{access}"][network.hosts.index(name)] += 1
    known = [name for name, _ in sessions] if red.knows is None else red.knows
    t["start_known"] = network.host_mask(known)
    for name in known:
        t["start_subnets"] |= 1 << network.subnets.index(scenario.hosts[name].subnet)
    t["goal"] = -1 if red.goal is None else network.hosts.index(red.goal)
    stages = _stages(network)
    for name, values in stages._asdict().items():
        t[f"b_line_{name.removesuffix('s')}"] = values
    t["action_kind"], t["action_host"], t["action_decoy"] = (
        network.codec.kind,
        network.codec.host,
        network.codec.decoy,
    )
    t["action_steps"] = t["red_steps"] = 1
    for action, (kind, target) in enumerate(zip(network.codec.kind, network.codec.host, strict=True)):
        if target >= 0:
            t["action_steps"][action] = steps_of(scenario, BlueKind(int(kind)).name.lower(), network.hosts[target])
    for red_kind, word in RED_WORDS.items():
        for i in range(len(network.subnets) if word == "sweep" else len(hosts)):
            t["red_steps"][red_kind, i] = steps_of(scenario, word, None if word == "sweep" else network.hosts[i])
    t["blue_takes_time"], t["red_takes_time"] = (t["action_steps"] > 1).any(), (t["red_steps"] > 1).any()
    t.flags.writeable = False
    return t.view(np.recarray)[()]


def _stages(network: Network) -> Stages:
    """What B_lineAgent does at each stage; nothing at all where it has no way."""
    way = network.b_line_way
    if isinstance(way, str):
        none = [-1] * len(network.hosts)
        return Stages(kinds=[RedKind.SLEEP], fallbacks=[0], targets=[none], first=0, goal_stage=-1)
    return make_stages(way, network.scenario, network.hosts, network.subnets)
