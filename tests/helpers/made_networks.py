"""Networks made up by a seed, to be played like any: of every size, with names that break what splits or escapes them.

Optional fields are given or left at their default by chance. Each network is accepted by the schema.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from cageflow.scenario import UNIT_TYPES

NASTY = (
    *("User 1", "a b c", "web.corp", "10.0.0.1", "srv-1.23456", "'", '"', "`x`", "it's", 'the "old" one'),
    *("<b>bold</b>", "</svg>", "<script>alert(1)</script>", "&amp;", "&", "]]>", "<!--", "{{ 7 }}", "{% x %}"),
    *(
        "$x_1$",
        "$",
        "$$",
        "a_b^c",
        "\\alpha",
        "\\",
        "%s",
        "{0}",
        "100%",
        "#1",
        "#",
        "##",
        "~",
        "|",
        "a|b",
        "*a*",
        "_x_",
    ),
    *("Zürich", "Ölfeld", "ñandú", "東京", "Ωmega", "🙂", "naïve café", "-x", "--help", "=1+1", "@SUM(A1)", "+1"),
    *(
        "No",
        "on",
        "yes",
        "null",
        "~1",
        "7",
        "0x1F",
        "1e3",
        "2026-01-01",
        "1:30",
        "true",
        ".inf",
        "[a]",
        "{a: b}",
        "- a",
    ),
    *("a: b", "a #b", "&x", "*x", "!x", "|x", ">x", "%x", "@x", "?", ":", ",", "a,b", "a > b", "=", "<<", "[key]"),
    *(
        "Honeypot",
        "Decoy",
        "DecoyX",
        "Decoy Apache",
        "Analyse",
        "Restore",
        "all hosts",
        "none",
        "Sleep",
        "[red]x[/red]",
    ),
    *("(ok)", "host", "x" * 80, "W" * 40, "nul", "a/b", "../x", "C:\\x", "self", "__class__", "0", "tip:x", "id=#a"),
)
PORTS = (21, 22, 25, 53, 80, 139, 443, 445, 3389, 8080)
OS = ("windows", "linux")


def make_network(seed: int) -> dict[str, Any]:
    """The content of a network file. Neighbouring seeds go through all sizes."""
    rng = random.Random(seed)
    num_hosts, num_decoys = 2 + seed % 15, (seed // 3) % 9
    names = _Names(rng)
    hosts = [names.new() for _ in range(num_hosts)]
    subnets = [names.new() for _ in range(rng.randint(1, min(4, num_hosts - 1)))]
    types, properties, users = ([names.new() for _ in range(4)] for _ in range(3))
    users += ["root", "SYSTEM"]
    near = max(2, num_hosts // len(subnets))  # hosts of the first subnet, where red starts
    stones = rng.sample(hosts[near:] or hosts[1:], min(len(hosts[near:] or hosts[1:]), rng.randint(1, 3)))
    goal = hosts[-1]

    def process() -> dict[str, Any]:
        content: dict[str, Any] = {
            "name": names.new(),
            "type": rng.choice(types),
            "user": rng.choice(users),
            "ports": rng.choices(PORTS, k=rng.randint(1, 3)),
        }
        return content | _perhaps(rng, properties=rng.sample(properties, rng.randint(0, 2)))

    def host(i: int) -> dict[str, Any]:
        content: dict[str, Any] = {
            "os": rng.choice(OS),
            "subnet": subnets[0] if i < near else rng.choice(subnets[1:] or subnets),
            "unit_type": rng.choice(UNIT_TYPES),
            "confidentiality": rng.choice(("none", "low", "medium", "high")),
            "processes": [process() for _ in range(rng.randint(1, 3))],
        }
        content |= _perhaps(rng, availability=rng.choice(("none", "high")), brute_forceable=rng.choice(users))
        reveals = rng.sample(hosts, rng.randint(0, min(3, num_hosts)))
        if content["subnet"] == subnets[0] and i > 0:
            reveals.append(rng.choice(stones))
        if hosts[i] in stones:
            reveals.append(goal)
        content |= {"reveals": reveals} if reveals else {}
        return content | ({"service": names.new()} if hosts[i] == goal else {})

    made = {name: host(i) for i, name in enumerate(hosts)}
    home = [name for name in hosts[1:] if made[name]["subnet"] == subnets[0]]
    exploits = {names.new(): _exploit(rng, 1.0 + i, types, properties) for i in range(rng.randint(1, 6))}
    content = {
        "name": names.new(),
        "values": {"none": 0.0, "low": 0.1, "medium": 1.0, "high": 10.0},
        "subnets": {
            name: {} if i == 0 else _perhaps(rng, guarded_by=rng.sample(hosts, rng.randint(0, 2)))
            for i, name in enumerate(subnets)
        },
        "hosts": made,
        "exploits": exploits,
        "favourite_probability": rng.choice((0.0, 0.75, 1.0)),
        "detection_probability": rng.choice((0.0, 0.95, 1.0)),
        "guesses": rng.choice((3, 10, 100)),
        "decoys": {names.new_decoy(): _decoy(rng, names, types, properties, exploits) for _ in range(num_decoys)},
        "restore_cost": rng.choice((0.0, 1.0, 2.5)),
        "red": {
            "start": hosts[0],
            "goal": goal,
            "b_line": [{"to": home, "by": "sweep"}, {"to": stones, "by": "reveal"}, {"to": [goal], "by": "reveal"}],
            "meander_retreats": [rng.sample(hosts, rng.randint(1, num_hosts)) for _ in range(rng.randint(1, 2))],
        },
        "green_hosts": rng.sample(hosts, rng.randint(1, num_hosts)),
    }
    had = {
        name for one in content["hosts"].values() for each in one["processes"] for name in each.get("properties", [])
    }
    return content | _perhaps(rng, lost_on_restore=sorted(had)[:1])


def write_network(folder: Path, seed: int) -> Path:
    """The same as a file, in JSON, which YAML contains."""
    path = folder / f"network {seed}.yaml"
    path.write_text(json.dumps(make_network(seed), indent=1, ensure_ascii=False), "utf-8")  # all names in quotes
    return path


class _Names:
    """Names of which no two are alike, and no two of which read as a third when they stand side by side."""

    def __init__(self, rng: random.Random) -> None:
        self._left = list(NASTY)
        rng.shuffle(self._left)
        self._number = 0

    def new(self) -> str:
        self._number += 1
        return self._left.pop() if self._left else f"name {self._number}"

    def new_decoy(self) -> str:
        """One that is no other action, and ends so that no host's name can go on with it."""
        name = self.new()
        return f"{name[:70]}~{self._number}" if name in ("Analyse", "Restore", "Sleep") or " " in name else name


def _perhaps(rng: random.Random, **fields: Any) -> dict[str, Any]:
    """Each field, or not: then it has its default."""
    return {name: value for name, value in fields.items() if rng.random() < 0.5}


def _exploit(rng: random.Random, weight: float, types: list[str], properties: list[str]) -> dict[str, Any]:
    port = rng.choice(PORTS)
    content = {"weight": weight, "port": port, "type": rng.choice(types), "scan_all": [port]}
    return content | _perhaps(
        rng,
        property=rng.choice(properties),
        os=rng.choice(OS),
        technique=rng.choice(("reverse_shell", "ssh")),
        scan_any=rng.sample(PORTS, rng.randint(0, 3)),
    )


def _decoy(
    rng: random.Random, names: _Names, types: list[str], properties: list[str], exploits: dict[str, Any]
) -> dict[str, Any]:
    """One that every exploit on its port and type falls for, as the schema asks."""
    content: dict[str, Any] = {"service": names.new(), "port": rng.choice(PORTS), "type": rng.choice(types)}
    content |= _perhaps(rng, free_port=rng.choice(PORTS), os=rng.choice(OS), properties=rng.sample(properties, 1))
    falling = [one for one in exploits.values() if (one["port"], one["type"]) == (content["port"], content["type"])]
    systems = {one["os"] for one in falling if "os" in one}
    if len(systems) > 1:  # nothing can be both
        return content | {"type": names.new()}
    wanted = [one["property"] for one in falling if "property" in one]
    content |= {"os": systems.pop()} if systems else {}
    return content | ({"properties": sorted({*wanted, *content.get("properties", [])})} if wanted else {})
