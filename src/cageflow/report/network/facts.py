"""What a person asks of a network: how large it is, what blue may do on it, what red can take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any

from cageflow.scenario import ExploitEffect, Network
from cageflow.scenario.durations import words_on_time
from cageflow.scenario.reach import guards_of

TAKES = {ExploitEffect.USER: "user", ExploitEffect.PRIVILEGED: "privileged"}


@dataclass(frozen=True)
class Facts:
    """What follows from a network."""

    network: Network

    @cached_property
    def attacks(self) -> dict[str, dict[str, str]]:
        """By host, the exploits that work there on its own processes, and the access that each gives."""
        effect = self.network.tables.effect[0]
        return {
            host: {
                exploit: TAKES[ExploitEffect(int(effect[e, h]))]
                for e, exploit in enumerate(self.network.exploits)
                if ExploitEffect(int(effect[e, h])) in TAKES
            }
            for h, host in enumerate(self.network.hosts)
        }

    @property
    def num_orders(self) -> int:
        """In how many orders the unit types can be ranked."""
        return factorial(len(self.network.identity.unit_types))

    def to_json(self) -> dict[str, Any]:
        """What `network check --json` prints."""
        identity = self.network.identity.to_json()
        return {
            "name": identity["name"],
            "fingerprint": identity["fingerprint"],
            "hosts": identity["hosts"],
            "subnets": list(self.network.subnets),
            "unit_types": identity["unit_types"],
            "orders": self.num_orders,
            "num_actions": len(self.network.codec),
            "num_observations": self.network.num_observations,
            "durations": self.network.scenario.durations.model_dump(),
            "crews": self.network.scenario.crews,
        }

    def sentences(self) -> list[str]:
        """The same in words, and what may surprise."""
        network = self.network
        types = network.identity.unit_types
        found = [
            f"{network.identity}: {_count(len(network.hosts), 'host')} in {_count(len(network.subnets), 'subnet')}.",
            f"Unit types: {', '.join(types)}; {_count(self.num_orders, 'order')} of them.",
            f"Blue has {len(network.codec)} actions and sees {network.num_observations} bits.",
        ]
        scenario = network.scenario
        if network.identity.timeless != network.fingerprint:
            words = words_on_time(scenario)
            found.append(f"{words[0].upper()}{words[1:]}.")
        safe = [host for host, attacks in self.attacks.items() if not attacks]
        if safe:
            found.append(f"No exploit works on {', '.join(safe)}.")
        way = network.b_line_way
        if isinstance(way, str):
            found.append(f"B_lineAgent cannot play here: {way}.")
        else:
            found.append(f"B_lineAgent goes {' > '.join(way.hosts[0])}{', or so' if len(way.hosts) > 1 else ''}.")
        return found


def wall_words(network: Network, subnet: str) -> str:
    """What the firewall of a subnet asks of red, in words; nothing where it is open."""
    scenario = network.scenario
    guards = guards_of(scenario, subnet, scenario.hosts[scenario.red.start].subnet)
    if guards is None:
        return ""
    return f"opens while red holds {' or '.join(guards)}" if guards else "never opens"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
