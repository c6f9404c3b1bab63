"""Episodes that nobody played, for pages of networks whose rules would take long to compile."""

from __future__ import annotations

import random

from cageflow.analysis.replay import Replay, ReplayStep, Situation
from cageflow.scenario import BlueKind, Network, RedKind


def made_replay(network: Network, num_steps: int, seed: int = 0) -> Replay:
    """An episode in which anything happens, of the shape that a page reads; it is none that the rules allow."""
    rng = random.Random(seed)
    num_hosts = len(network.hosts)
    fixes = [i for i, kind in enumerate(network.codec.kind) if kind in (BlueKind.REMOVE, BlueKind.RESTORE)]

    def digits(possible: str) -> str:
        return "".join(rng.choices(possible, k=num_hosts))

    def situation() -> Situation:
        access = digits("0012")
        num_decoys = min(3, len(network.decoys))
        return Situation(
            access=access,
            activity=digits("0013"),
            belief=digits("0123"),
            sessions=tuple((h, int(a == "1"), int(a == "2")) for h, a in enumerate(access) if a != "0"),
            decoys=tuple((h, tuple(range(num_decoys))) for h in range(0, num_hosts, 2)) if num_decoys else (),
            malware=tuple(range(0, num_hosts, 3)),
            down=tuple(range(0, num_hosts, 2)),
        )

    def step(number: int) -> ReplayStep:
        action = rng.choice(fixes)
        host, red_host = int(network.codec.host[action]), rng.randrange(num_hosts)
        name = network.codec.names[action]
        return ReplayStep(
            number=number,
            blue=name,
            blue_kind=int(network.codec.kind[action]),
            blue_host=host,
            blue_success=True,
            in_vain=False,
            ended=((name, host, "red is out"),),
            under_way=((network.codec.names[fixes[0]], int(network.codec.host[fixes[0]]), 2, 5),),
            red=f"ExploitRemoteService {network.hosts[red_host]}",
            red_kind=int(RedKind.EXPLOIT_REMOTE_SERVICE),
            red_host=red_host,
            red_subnet=-1,
            red_success=rng.random() < 0.5,
            red_from=0,
            red_through=(rng.randrange(num_hosts),),
            red_why="the service withstood",
            green_host=rng.randrange(num_hosts),
            reward=-1.0,
            causes=((host, "restored", -1.0),),
            likeliest=((name, 0.9), *((network.codec.names[one], 0.01) for one in fixes[:4])),
            chosen_prob=0.9,
            verdict=rng.choice(("follows", "departs")),
            tested=rng.random() < 0.5,
            due=network.unit_types[0],
            compromised=(host,),
            after=situation(),
        )

    steps = tuple(step(number) for number in range(1, num_steps + 1))
    return Replay(
        title="Made up", seed=seed, env_return=-float(num_steps), compliance=0.5, start=situation(), steps=steps
    )
