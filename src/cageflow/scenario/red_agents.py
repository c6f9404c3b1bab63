"""Names of who plays red, as the command line, network files and results have them."""

from __future__ import annotations

from cageflow.errors import UserError
from cageflow.scenario.enums import ATTACKERS, RedAgent

BLINE_NAME = "B_lineAgent"

RED_AGENTS: dict[str, RedAgent] = {
    BLINE_NAME: RedAgent.B_LINE,
    "RedMeanderAgent": RedAgent.MEANDER,
    "SleepAgent": RedAgent.SLEEP,
}
"""Red agents by CybORG's names."""

MIXED = "mixed"
"""B_lineAgent or RedMeanderAgent, drawn anew for each episode: to train one policy against both."""
ATTACKER_NAMES = tuple(name for name, agent in RED_AGENTS.items() if agent in ATTACKERS)
"""The two that it stands for."""
SHORT_NAMES: dict[str, str] = {"bline": "B_lineAgent", "meander": "RedMeanderAgent", "sleep": "SleepAgent"}


def parse_red_agent(name: str) -> str:
    """CybORG's name of a red agent, given that or the short one, in any case; MIXED as it is.

    Raises:
        UserError: there is none of that name.
    """
    known = {full.lower(): full for full in RED_AGENTS} | SHORT_NAMES | {MIXED: MIXED}
    if not isinstance(name, str) or name.lower() not in known:
        possible = ", ".join(f"{full} ({short})" for short, full in SHORT_NAMES.items()) + f", {MIXED}"
        raise UserError(f"{name!r} is no red agent; possible are {possible}.")
    return known[name.lower()]
