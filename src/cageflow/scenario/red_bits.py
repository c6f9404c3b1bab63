"""What red remembers of an episode as bits, for a learner to read: which there are, and in which order.

`cageflow.sim.red_view` writes them. The true state is nowhere among them, and neither is the length of the episode.
"""

from __future__ import annotations

from collections.abc import Sequence

from cageflow.scenario.red_codec import RED_WORDS, SLEEP_NAME

SUBNET_FACTS = ("known", "swept", "shut")
"""Of a subnet: red knows it; a sweep of it succeeded; the last sweep of it failed."""
HOST_FACTS = ("found", "named", "scanned", "held", "raised", "explored", "impacted")
"""Of a host: red knows its address; its name; has scanned it; may hold a session there, since an exploit succeeded and
nothing told that it was lost; with privileges, since an escalation did; has explored it; its last Impact succeeded."""
FAILURES = (1, 2, 3, 5)
"""At least so many tries at a host in a row came to nothing: exploits, escalations, impacts."""
OUTCOMES = ("succeeded", "failed", "refused")
CLOCK = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100)
LEFT = (1, 2, 4, 8)


def red_bits(
    hosts: Sequence[str], subnets: Sequence[str], ports: Sequence[int], services: Sequence[str], *, takes_time: bool
) -> tuple[str, ...]:
    """(F,) names of red's bits.

    Args:
        hosts: names.
        subnets: likewise.
        ports: of which an exploit asks whether they are open.
        services: that Impact stops.
        takes_time: whether any of red's actions takes more than a step.
    """
    names = [f"{fact} {subnet}" for fact in SUBNET_FACTS for subnet in subnets]
    names += [f"{fact} {host}" for fact in HOST_FACTS for host in hosts]
    names += [f"port {port} {host}" for host in hosts for port in ports]
    names += [f"{number} failures {host}" for host in hosts for number in FAILURES]
    names += [f"can stop {service}" for service in services]
    names += [f"last {word}" for word in (SLEEP_NAME, *RED_WORDS.values())]
    names += [f"last {place}" for place in (*subnets, *hosts)]
    names += [f"last {outcome}" for outcome in OUTCOMES]
    names += [f"step {step}" for step in CLOCK]
    if takes_time:
        names += ["under way", *(f"done within {left}" for left in LEFT)]
    return tuple(names)
