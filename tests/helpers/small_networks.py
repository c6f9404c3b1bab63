"""Small networks for tests, and generated ones of any size."""

from typing import Any

import numpy as np

from cageflow.scenario import Network, Scenario

SSH = {"name": "sshd", "type": "ssh", "user": "root", "ports": [22]}


def ssh_host(subnet: str, **fields: Any) -> dict[str, Any]:
    """A Linux host that a guessed password gets into."""
    host = {"os": "linux", "subnet": subnet, "unit_type": "user", "confidentiality": "some", "brute_forceable": "pi"}
    return host | {"processes": [SSH]} | fields


def made_network(
    hosts: dict[str, dict[str, Any]],
    goal: str | None = None,
    subnets: dict[str, Any] | None = None,
    red: dict[str, Any] | None = None,
    **fields: Any,
) -> Network:
    """A network of these hosts, of which red holds the first; further keys of the file by `fields`."""
    content = {
        "name": "made",
        "values": {"some": 0.1, "much": 5.0},
        "subnets": dict.fromkeys((host["subnet"] for host in hosts.values()), {}) if subnets is None else subnets,
        "hosts": hosts,
        "exploits": {"Guess": {"weight": 1.0, "port": 22, "type": "ssh", "technique": "ssh", "scan_all": [22]}},
        "favourite_probability": 0.75,
        "detection_probability": 0.95,
        "guesses": 10,
        "decoys": {"Trap": {"service": "sshd", "port": 22, "type": "ssh"}},
        "restore_cost": 1.0,
        "red": {"start": next(iter(hosts))} | ({"goal": goal} if goal else {}) | (red or {}),
    }
    return Network(Scenario.model_validate(content | fields))


def generated_network(num_hosts: int, seed: int, num_decoys: int = 16, **fields: Any) -> Network:
    """A network of any size and content that B_lineAgent has a way through.

    Several services, guards, footholds of either level, hosts without a process, and as many ports, subnets, exploits
    and decoys as there is room for.
    """
    rng = np.random.default_rng(seed)
    num_subnets, num_ports, num_exploits = max(1, min(16, num_hosts // 4)), min(62, 8 + num_hosts), 32
    ports = [int(port) for port in rng.choice(49000, num_ports, replace=False) + 100]
    names = [f"h{i}" for i in range(num_hosts)]
    home = [f"s{i * num_subnets // num_hosts}" for i in range(num_hosts)]
    kinds = [f"type{i}" for i in range(6)]

    def process(i: int) -> dict[str, Any]:
        user = ("SYSTEM", "www", "root")[int(rng.integers(3))]
        return {"name": f"p{i}", "type": kinds[int(rng.integers(6))], "user": user} | {
            "ports": sorted({ports[int(port)] for port in rng.integers(num_ports, size=int(rng.integers(1, 4)))}),
            "properties": ["weak"] if rng.random() < 0.7 else [],
        }

    hosts: dict[str, Any] = {}
    for i, name in enumerate(names):
        own = [process(j) for j in range(int(rng.integers(0, 5)))]
        hosts[name] = {
            "os": ("windows", "linux")[int(rng.integers(2))],
            "subnet": home[i],
            "unit_type": ("user", "server", "desk")[i % 3],
            "confidentiality": ("some", "much", "naught")[int(rng.integers(3))],
            "availability": "much",
            "brute_forceable": "pi" if rng.random() < 0.8 else None,
            "reveals": sorted({names[int(j)] for j in rng.integers(num_hosts, size=2)}),
            "reveals_subnet": bool(rng.random() < 0.8),
            "processes": own,
        }
        if rng.random() < 0.3 or i == num_hosts - 1:
            hosts[name]["service"] = ("OT", "Mail")[int(rng.integers(2))]
    for i in range(num_hosts - 1):  # a chain of hosts that a guessed password gets into: a way to the last
        hosts[names[i]]["reveals"] = sorted({*hosts[names[i]]["reveals"], names[i + 1]})
    for host in hosts.values():
        host["brute_forceable"] = "pi"
        host["processes"] = [*host["processes"], SSH] if rng.random() < 0.8 else host["processes"]
    hosts[names[-1]]["processes"] = [SSH]
    exploits = {"Guess": {"weight": 0.05, "port": 22, "type": "ssh", "technique": "ssh", "scan_all": [22]}}
    for i in range(1, num_exploits):
        port = ports[int(rng.integers(num_ports))]
        exploits[f"e{i}"] = {"weight": float(i), "port": port, "type": kinds[int(rng.integers(6))], "scan_all": [port]}
        exploits[f"e{i}"]["property"] = "weak" if rng.random() < 0.5 else None
    decoys = {}
    for i in range(num_decoys):
        place = {"port": ports[int(rng.integers(num_ports))], "free_port": ports[int(rng.integers(num_ports))]}
        decoys[f"D{i}"] = {"service": f"d{i}", "type": kinds[int(rng.integers(6))], "properties": ["weak"]} | place
    subnets = {f"s{i}": {} for i in range(num_subnets)}
    if num_subnets > 2:
        subnets["s1"] = {"guarded_by": [name for name, where in zip(names, home, strict=True) if where == "s0"]}
        subnets["s2"] = {"guarded_by": [names[0], names[-1]], "guards_against": ["s0", "s1"]}
    content = {
        "name": f"generated {num_hosts}",
        "values": {"naught": 0.0, "some": 0.1, "much": 5.0},
        "unit_types": ["server", "desk", "user"],
        "subnets": subnets,
        "hosts": hosts,
        "lost_on_restore": [],
        "exploits": exploits,
        "favourite_probability": 0.75,
        "detection_probability": 0.95,
        "guesses": 10,
        "decoys": decoys,
        "restore_cost": 1.5,
        "red": {"start": names[0], "goal": names[-1], "meander_retreats": [names[1 : num_hosts // 2 + 1], names[-1:]]},
        "green_hosts": names[::2],
    }
    if num_hosts > 4:
        content["red"]["footholds"] = [{"host": names[3], "access": "user"}, {"host": names[3], "access": "user"}]
    return Network(Scenario.model_validate(content | fields))
