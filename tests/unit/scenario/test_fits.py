"""Which process an exploit needs, and which decoy it falls for: every condition by itself, on a network made for it.

In CAGE-2 a port has one type and a type has few ports, so that a test of only one of the two goes unnoticed there.
"""

from itertools import product
from typing import Any

import pytest

from cageflow.scenario import ExploitEffect, Network, Scenario

PORT, OTHER_PORT = 80, 8080
EXPLOITS: dict[str, dict[str, Any]] = {
    "plain": {"weight": 1.0, "port": PORT, "type": "web", "scan_all": [PORT]},
    "property": {"weight": 2.0, "port": PORT, "type": "web", "property": "weak", "scan_all": [PORT]},
    "windows": {"weight": 3.0, "port": PORT, "type": "web", "os": "windows", "scan_all": [PORT]},
    "ssh": {"weight": 4.0, "port": PORT, "type": "web", "technique": "ssh", "scan_all": [PORT]},
}


def network(processes=(), decoys=None, exploits=EXPLOITS, lost=(), **host) -> Network:
    """Two hosts, of which "Other" has the processes and the fields."""
    own = {
        "os": "linux",
        "subnet": "Lan",
        "unit_type": "user",
        "confidentiality": "low",
        "processes": [{"name": "sshd", "type": "ssh", "user": "root", "ports": [22], "properties": list(lost)}],
    }
    content = {
        "name": "two",
        "values": {"none": 0.0, "low": 0.1, "medium": 1.0, "high": 10.0},
        "subnets": {"Lan": {}},
        "hosts": {
            "Start": own,
            "Other": own
            | {"service": "x", "reveals": ["Other"]}
            | host
            | {"processes": list(processes) or own["processes"]},
        },
        "lost_on_restore": list(lost),
        "exploits": exploits,
        "favourite_probability": 1.0,
        "detection_probability": 1.0,
        "guesses": 10,
        "decoys": decoys or {},
        "restore_cost": 1.0,
        "red": {
            "start": "Start",
            "goal": "Other",
            "b_line": [{"to": ["Other"], "by": "sweep"}],
            "meander_retreats": [["Other"]],
        },
        "green_hosts": ["Other"],
    }
    return Network(Scenario.model_validate(content))


def process(**changes) -> dict[str, Any]:
    return {"name": "httpd", "type": "web", "user": "www", "ports": [PORT], "properties": ["weak"]} | changes


def effect(exploit, *processes, after_restore=False, **host) -> ExploitEffect:
    net = network(processes, **host)
    return ExploitEffect(int(net.tables["effect"][int(after_restore), net.exploits.index(exploit), 1]))


@pytest.mark.parametrize("exploit", EXPLOITS)
def test_exploit__needs_a_process_of_its_type_on_its_port(exploit):
    found = {"os": "windows", "brute_forceable": "pi"}
    assert effect(exploit, process(), **found) == ExploitEffect.USER
    assert effect(exploit, process(ports=[OTHER_PORT]), **found) == ExploitEffect.NO_PROCESS
    assert effect(exploit, process(type="db"), **found) == ExploitEffect.NO_PROCESS
    assert effect(exploit, process(type="db"), process(ports=[OTHER_PORT]), **found) == ExploitEffect.NO_PROCESS
    assert effect(exploit, process(type="db"), process(ports=[OTHER_PORT, PORT]), **found) == ExploitEffect.USER


def test_exploit__fails_on_a_process_that_withstands():
    assert effect("property", process(properties=[])) == ExploitEffect.FAILS
    assert effect("property", process(properties=["other"])) == ExploitEffect.FAILS
    assert effect("plain", process(properties=[])) == ExploitEffect.USER
    assert effect("windows", process()) == ExploitEffect.FAILS
    assert effect("windows", process(), os="windows") == ExploitEffect.USER
    assert effect("ssh", process()) == ExploitEffect.FAILS
    assert effect("ssh", process(properties=[]), brute_forceable="pi") == ExploitEffect.USER


def test_exploit__gives_what_the_process_or_the_guessed_user_may():
    for os, other, privileged in (("linux", "SYSTEM", "root"), ("windows", "root", "SYSTEM")):
        assert effect("plain", process(user=privileged), os=os) == ExploitEffect.PRIVILEGED
        assert effect("plain", process(user=other), os=os) == ExploitEffect.USER
        assert effect("ssh", process(user=privileged), os=os, brute_forceable="pi") == ExploitEffect.USER
        assert effect("ssh", process(), os=os, brute_forceable=privileged) == ExploitEffect.PRIVILEGED


def test_lost_property__is_gone_after_a_restore_alone():
    assert effect("property", process(), lost=["weak"]) == ExploitEffect.USER
    assert effect("property", process(), lost=["weak"], after_restore=True) == ExploitEffect.FAILS
    assert effect("plain", process(), lost=["weak"], after_restore=True) == ExploitEffect.USER


def mask_of(flags) -> int:
    return sum(1 << i for i, flag in enumerate(flags) if flag)


DECOYS = {
    f"{kind}:{port}": {"service": f"{kind}{port}", "port": port, "type": kind, "properties": ["weak"], "os": "windows"}
    for kind, port in product(("web", "db"), (PORT, OTHER_PORT))
}


def test_exploit__falls_for_decoys_of_its_type_on_its_port():
    net = network(decoys=DECOYS)
    for mask in net.tables["exploit_traps"].tolist():
        assert mask == mask_of(name == f"web:{PORT}" for name in DECOYS)
    exploits = {"db": EXPLOITS["plain"] | {"type": "db", "port": OTHER_PORT}}
    mask = int(network(decoys=DECOYS, exploits=exploits).tables["exploit_traps"][0])
    assert mask == mask_of(name == f"db:{OTHER_PORT}" for name in DECOYS)


@pytest.mark.parametrize("os", ["linux", "windows"])
@pytest.mark.parametrize("open_port", [22, PORT, OTHER_PORT])
def test_decoy__fits_where_its_port_is_free_and_the_system_right(os, open_port):
    plain = {"service": "s", "port": PORT, "type": "none"}
    decoys = {
        "any": plain,
        "linux": plain | {"os": "linux"},
        "windows": plain | {"os": "windows"},
        "elsewhere": plain | {"free_port": OTHER_PORT},
    }
    net = network([process(ports=[open_port])], decoys, os=os)
    free = open_port != PORT
    assert int(net.tables["decoy_fits"][1]) == mask_of(
        [free, free and os == "linux", free and os == "windows", open_port != OTHER_PORT]
    )


def test_host_named_twice__counts_once():
    net = network()
    assert net.host_mask(["Other", "Start", "Other"]) == 0b11
    twice = network(reveals=["Other", "Other"])
    assert int(twice.tables["reveals"][1]) == 0b10
