"""A CybORG that is the compiled simulator, for tests of those who play red in the original without being part of it.

Red is played by the object that it is handed, as CybORG does it: with actions that name addresses, and spaces, sessions
and an observation that tell red what it knows. Blue sees the official table; its raw observations are empty.
"""

import random
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from cageflow.envs.cyborg_red import RED_KINDS
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.red_player import GivenActions
from cageflow.scenario import RedKind
from cageflow.scenario.red_agents import GIVEN
from cageflow.sim.enums import Outcome


class Action:
    """An action of red's: its parameters are its attributes."""

    def __init__(self, **parameters):
        self.__dict__.update(parameters)


ACTIONS = {name: type(name, (Action,), {}) for name in (*RED_KINDS, "InvalidAction")}
SUCCESS = {Outcome.FALSE: "FALSE", Outcome.TRUE: "TRUE", Outcome.UNKNOWN: "UNKNOWN"}


class CybORG:
    """The game, its own controller.

    Attributes:
        taken: names of red's actions in this episode.
    """

    def __init__(self, scenario, mode, agents):
        assert scenario.endswith("Scenario2.yaml") and mode == "sim"
        self.red, self.given = agents["Red"](), GivenActions(1)
        self.game = GameBatch(GameOptions(GIVEN, observation="official"), 1, red=self.given)
        self.network = self.game.network
        self.environment_controller = self
        self.hostname_ip_map = {host: f"10.0.0.{i}" for i, host in enumerate(self.network.hosts)}
        self.subnet_cidr_map = {subnet: f"net {subnet}" for subnet in self.network.subnets}
        self.session = SimpleNamespace(ports={}, ot_service=None)
        self.state = SimpleNamespace(
            ip_addresses={ip: host for host, ip in self.hostname_ip_map.items()}, sessions={"Red": {0: self.session}}
        )
        self.seen, self.rewards = np.zeros((1, self.network.num_observations), np.uint8), np.zeros(1, np.float32)
        self.action, self.taken = {}, []

    def start(self):
        self.game.begin(np.array([random.getrandbits(64)], np.uint64), self.seen)
        self.action, self.taken, self.session.ports = {}, [], {}
        return self.seen[0].astype(int)

    def play(self, blue):
        chosen = self.red.get_action(self.get_observation("Red"), self.get_action_space("Red"))
        self.given.actions[0] = self.number_of(chosen)
        self.taken.append(self.network.red_codec.names[self.given.actions[0]])
        self.game.play(np.array([blue], np.int16), self.seen, self.rewards)
        s = self.game.states[0]
        self.action["Red"] = chosen if s["red_valid"] else ACTIONS["InvalidAction"](action=chosen)
        self.session.ot_service = "OTService" if s["known_services"] else None
        for host, seen in zip(self.network.hosts, s["ports_seen"], strict=True):
            ports = [port for i, port in enumerate(self.network.ports) if int(seen) >> i & 1]
            if ports:
                self.session.ports[self.hostname_ip_map[host]] = ports
        return self.seen[0].astype(int), float(self.rewards[0])

    def number_of(self, action):
        kind = RED_KINDS[type(action).__name__]
        places = {RedKind.SLEEP: [], RedKind.DISCOVER_REMOTE_SYSTEMS: list(self.subnet_cidr_map.values())}
        named = next((value for name, value in vars(action).items() if name not in ("session", "agent")), None)
        by_address = list(self.hostname_ip_map.values())
        hosts = by_address if named in by_address else list(self.network.hosts)
        target = places.get(kind, hosts).index(named) if kind != RedKind.SLEEP else -1
        return self.network.red_codec.number_of(kind, target)

    def get_action_space(self, agent):
        s = self.game.states[0]

        def those_in(mask, names):
            return {name: bool(int(mask) >> i & 1) for i, name in enumerate(names)}

        return {
            "subnet": those_in(s["known_subnets"], self.subnet_cidr_map.values()),
            "ip_address": those_in(s["known_hosts"], self.hostname_ip_map.values()),
            "hostname": those_in(s["known_names"], self.network.hosts),
        }

    def get_observation(self, agent):
        if agent == "Blue":
            return {"success": True}
        s = self.game.states[0]
        return {"success": SUCCESS[Outcome(int(s["red_outcome"]))]} | ({"a host": {}} if s["red_connections"] else {})


class ChallengeWrapper:
    """CybORG's own environment of that name."""

    def __init__(self, agent_name, env):
        assert agent_name == "Blue"
        self.env = env

    def get_attr(self, name):
        return {"possible_actions": self.env.network.codec.names}[name]

    def reset(self):
        return self.env.start()

    def step(self, action):
        return *self.env.play(action), False, {}


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let `import CybORG` find the double, of the rules v2.1.

    Returns:
        What to give for its path.
    """
    names = ("", ".Agents", ".Agents.Wrappers", ".Shared", ".Shared.Actions", ".Shared.Enums", ".Simulator.Session")
    modules = {name: ModuleType(f"CybORG{name}") for name in names}
    package, version = modules[""], SimpleNamespace(UNKNOWN="unknown", parse_string=str)
    (folder / "CybORG").mkdir()
    (folder / "CybORG" / "CybORG.py").touch()
    vars(package).update(__file__=str(folder / "CybORG" / "__init__.py"), CybORG=CybORG)
    vars(modules[".Agents.Wrappers"]).update(ChallengeWrapper=ChallengeWrapper)
    vars(modules[".Shared.Actions"]).update(ACTIONS)
    vars(modules[".Shared.Enums"]).update(ProcessVersion=version)
    vars(modules[".Simulator.Session"]).update(RedAbstractSession=SimpleNamespace(clearports=None))
    for module in modules.values():
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return folder
