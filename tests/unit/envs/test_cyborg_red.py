"""Red as the caller plays it in the original: how its actions are handed over, and what it is told."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from cageflow.envs.cyborg_red import RED_KINDS, GivenRed, read_action, what_red_was_told
from cageflow.envs.red_memory import RedMemory
from cageflow.scenario import RedKind, default_network

NETWORK = default_network()
CODEC = NETWORK.red_codec


class Action:
    """An action of the original: its parameters are its attributes."""

    def __init__(self, **parameters):
        self.__dict__.update(parameters)


ACTIONS = {name: type(name, (Action,), {}) for name in (*RED_KINDS, "InvalidAction")}


@pytest.fixture
def controller(monkeypatch):
    """What stands for the original's controller, with an address for each host and subnet."""
    package, shared, actions = (ModuleType(name) for name in ("CybORG", "CybORG.Shared", "CybORG.Shared.Actions"))
    vars(actions).update(ACTIONS)
    for module in (package, shared, actions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    addresses = {host: f"10.0.0.{i}" for i, host in enumerate(NETWORK.hosts)}
    session = SimpleNamespace(ports={}, ot_service=None)
    space = {"subnet": {"net User": True}, "ip_address": {addresses["User0"]: True}, "hostname": {"User0": True}}
    return SimpleNamespace(
        hostname_ip_map=addresses,
        subnet_cidr_map={subnet: f"net {subnet}" for subnet in NETWORK.subnets},
        state=SimpleNamespace(
            ip_addresses={ip: host for host, ip in addresses.items()}, sessions={"Red": {0: session}}
        ),
        action={},
        space=space,
        get_action_space=lambda agent: space,
    )


def given(controller, name):
    """The action that the original is handed."""
    red = GivenRed(NETWORK)()
    red.controller, red.action = controller, CODEC.encode(name)
    return red.get_action({}, {})


@pytest.mark.parametrize(
    ("name", "kind", "parameters"),
    [
        ("Sleep", "Sleep", {}),
        ("sweep Operational", "DiscoverRemoteSystems", {"subnet": "net Operational"}),
        ("scan User1", "DiscoverNetworkServices", {"ip_address": "10.0.0.9"}),
        ("exploit Defender", "ExploitRemoteService", {"ip_address": "10.0.0.0"}),
        ("escalate User1", "PrivilegeEscalate", {"hostname": "User1"}),
        ("impact Op_Server0", "Impact", {"hostname": "Op_Server0"}),
    ],
)
def test_given_red__hands_over_what_the_number_means_and_reads_it_back(controller, name, kind, parameters):
    action = given(controller, name)
    own = {} if kind == "Sleep" else {"session": 0, "agent": "Red"}
    assert (type(action).__name__, vars(action)) == (kind, parameters | own)
    for is_valid in (True, False):
        controller.action["Red"] = action if is_valid else ACTIONS["InvalidAction"](action=action)
        read_kind, target, stands = read_action(controller, NETWORK)
        assert (CODEC.names[CODEC.number_of(read_kind, target)], stands) == (name, is_valid)


def test_what_red_was_told__is_what_the_originals_spaces_hold(controller):
    controller.action["Red"] = given(controller, "scan User1")
    controller.space["ip_address"] |= {"10.0.0.9": True, "10.0.0.1": False}
    controller.space["hostname"]["User1"] = False
    controller.state.sessions["Red"][0].ports["10.0.0.9"] = [22, 21, 22]
    cyborg = SimpleNamespace(environment_controller=controller, get_observation=lambda agent: {"success": "TRUE"})
    memory = RedMemory(NETWORK)
    memory.update(what_red_was_told(cyborg, NETWORK))
    view = memory.view()
    assert (view.last_action, view.last_outcome, list(view.hosts)) == ("scan User1", "succeeded", ["User0", "User1"])
    assert (view.hosts["User1"].ports, view.hosts["User1"].is_named) == ((21, 22), False)
    assert view.services == ()
    controller.state.sessions["Red"][0].ot_service = "OTService"
    memory.update(what_red_was_told(cyborg, NETWORK))
    assert memory.view().services == ("OTService",)


def test_given_red__needs_nothing_else_of_what_the_original_tells_its_agents(controller):
    red = GivenRed(NETWORK)
    red.set_initial_values({}, {})
    red.train(None)
    red.end_episode()
    assert red.action == 0


def test_kinds__are_those_of_the_recordings():
    assert sorted(RED_KINDS.values()) == list(RedKind)
    assert np.array_equal(sorted(set(CODEC.kinds)), list(RedKind))
