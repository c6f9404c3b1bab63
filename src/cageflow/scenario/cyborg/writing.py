"""A network of ours as a scenario file of the original.

Whether the original would play just this network is not argued but tried: the file is read again, and what comes back
has to be the network that was written.
"""

from __future__ import annotations

from typing import Any

import yaml

from cageflow.errors import UserError
from cageflow.scenario.cyborg.images import SERVICE, Image, known_images
from cageflow.scenario.cyborg.importing import import_text
from cageflow.scenario.cyborg.refusals import PLAYERS, RED_ACTIONS, REWARD, addresses
from cageflow.scenario.enums import PRIVILEGED_USER
from cageflow.scenario.names import shown_place
from cageflow.scenario.schema import Host, Scenario, decoy_actions

SERVER = "VeloServer"
GREEN_ACTIONS = ("Sleep", "GreenPingSweep", "GreenPortScan", "GreenConnection")
EVERYTHING = {"Interfaces": "All", "System info": "All", "User info": "All"}


def cyborg_text(scenario: Scenario) -> str:
    """The text of a scenario file that plays in the original as the network does here.

    Names, types and orders that only people and workflows use are not part of such a file.

    Raises:
        UserError: the original has no such network; the sentence names the first part that it cannot have.
    """
    content = {
        "Agents": dict(zip(PLAYERS, (_blue(scenario), _green(scenario), _red(scenario)), strict=True)),
        "Hosts": {name: _host(name, host) for name, host in scenario.hosts.items()},
        "Subnets": {name: _subnet(scenario, name) for name in scenario.subnets},
    }
    text = str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))
    there = import_text(text, f"{scenario.name}, as a scenario of the original")
    place = _difference(_played(scenario), _played(there))
    if place is not None:
        at = ".".join(place[:1]) if len(place) == 1 else shown_place(place)
        raise UserError(
            f"{scenario.name}: {at}: the original has no such network, so there is no file of it for CybORG"
        )
    return text


def _played(scenario: Scenario) -> Any:
    """What of a network shows in a game with a given blue."""
    content = scenario.model_dump(exclude={"name", "unit_types", "workflows", "protocol"})
    for host in content["hosts"].values():
        del host["unit_type"]
    return content


def _difference(ours: Any, theirs: Any) -> tuple[str, ...] | None:
    """The way to the first part that is not the same, order included; None where there is none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return ("order",) if set(ours) == set(theirs) else (str(sorted(set(ours) ^ set(theirs))[0]),)
        for key in ours:
            below = _difference(ours[key], theirs[key])
            if below is not None:
                return (str(key), *below)
        return None
    return None if ours == theirs else ()


def _blue(scenario: Scenario) -> dict[str, Any]:
    hosts = list(scenario.hosts)
    server = next((name for name, host in scenario.hosts.items() if host.unit_type == "defender"), hosts[0])
    clients = [
        {"hostname": host, "name": f"Velo{host}", "parent": SERVER, "type": "VelociraptorClient", "username": "ubuntu"}
        for host in hosts
    ]
    return {
        "AllowedSubnets": list(scenario.subnets),
        "INT": {"Hosts": {host: dict(EVERYTHING) for host in hosts}},
        "adversary": "Red",
        "actions": ["Sleep", "Monitor", "Analyse", "Remove", *decoy_actions(scenario), "Restore"],
        "agent_type": "SleepAgent",
        "reward_calculator_type": REWARD,
        "starting_sessions": [
            *clients,
            {
                "artifacts": ["NetworkConnections", "ProcessCreation"],
                "hostname": server,
                "name": SERVER,
                "type": "VelociraptorServer",
                "username": "ubuntu",
            },
        ],
        "wrappers": [],
    }


def _green(scenario: Scenario) -> dict[str, Any]:
    sessions = [
        {"hostname": host, "name": "GreenSession", "type": "green_session", "username": "GreenAgent"}
        for host in scenario.green_hosts
    ]
    return {
        "AllowedSubnets": list(scenario.subnets),
        "INT": {"Hosts": {host: dict(EVERYTHING) for host in scenario.hosts}},
        "actions": list(GREEN_ACTIONS),
        "agent_type": "SleepAgent",
        "reward_calculator_type": "None",
        "starting_sessions": sessions,
        "wrappers": [],
    }


def _red(scenario: Scenario) -> dict[str, Any]:
    start = scenario.red.start
    user = PRIVILEGED_USER[scenario.hosts[start].os]
    return {
        "AllowedSubnets": list(scenario.subnets),
        "INT": {"Hosts": {start: {"Interfaces": "All", "System info": "All"}}},
        "actions": ["Sleep", *RED_ACTIONS],
        "agent_type": "SleepAgent",
        "reward_calculator_type": "HybridImpactPwn",
        "starting_sessions": [
            {"hostname": start, "name": "RedPhish", "type": "RedAbstractSession", "username": user},
        ],
        "wrappers": [],
    }


def _host(name: str, host: Host) -> dict[str, Any]:
    own: dict[str, Any] = {"Interfaces": "All"}
    if host.service is not None:
        own["Services"] = [SERVICE]
    return {
        "AWS_Info": [],
        "image": _image_of(name, host),
        "info": {name: own} | {other: {"Interfaces": "IP Address"} for other in host.reveals},
        "ConfidentialityValue": host.confidentiality.capitalize(),
        "AvailabilityValue": (host.availability or "none").capitalize(),
    }


def _image_of(name: str, host: Host) -> str:
    wanted = Image(
        os=host.os, brute_forceable=host.brute_forceable, service=host.service, processes=list(host.processes)
    )
    for image, content in known_images().items():
        if content == wanted:
            return image
    raise UserError(f"hosts.{name}: none of the original's images runs just this: {', '.join(known_images())}")


def _subnet(scenario: Scenario, name: str) -> dict[str, Any]:
    hosts = [host for host, content in scenario.hosts.items() if content.subnet == name]
    way = scenario.red.b_line or []
    relays = way[2].to if len(way) == 4 else []
    for relay in [host for host in relays if host in hosts and len(hosts) > 2]:  # B_lineAgent takes the third
        hosts.remove(relay)
        hosts.insert(2, relay)
    everybody = {"in": "all", "out": "all"}
    closed = {scenario.hosts[scenario.red.start].subnet: {"in": "None", "out": "all"}}
    guarded = bool(scenario.subnets[name].guarded_by)
    size = len(hosts)
    while addresses(size) < len(hosts):
        size += 1
    return {"Hosts": hosts, "NACLs": (closed if guarded else {}) | {"all": everybody}, "Size": size}
