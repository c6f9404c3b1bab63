"""Names of who plays red, as the command line, network files and results have them."""

from __future__ import annotations

from pathlib import Path

from cageflow.errors import UserError
from cageflow.scenario.enums import ATTACKERS, RedAgent

BLINE_NAME = "B_lineAgent"

RED_AGENTS: dict[str, RedAgent] = {
    BLINE_NAME: RedAgent.B_LINE,
    "RedMeanderAgent": RedAgent.MEANDER,
    "SleepAgent": RedAgent.SLEEP,
}
"""Red agents by CybORG's names: those of the challenge, and of recordings."""

MIXED = "mixed"
"""B_lineAgent or RedMeanderAgent, drawn anew for each episode: to train one policy against both."""
BUILT_IN: dict[str, RedAgent] = RED_AGENTS | {
    MIXED: RedAgent.MIXED,
    "random": RedAgent.RANDOM,
    "sleepy-bline": RedAgent.SLEEPY_B_LINE,
    "sleepy-meander": RedAgent.SLEEPY_MEANDER,
    "late-bline": RedAgent.LATE_B_LINE,
    "switch": RedAgent.SWITCH,
}
"""All that the compiled rules play, by name; `cageflow.sim.red_agents` says what each does."""
ATTACKER_NAMES = tuple(name for name, agent in RED_AGENTS.items() if agent in ATTACKERS)
"""The two that MIXED stands for."""
WITH_WAY = tuple(
    name
    for name, agent in BUILT_IN.items()
    if agent in (RedAgent.B_LINE, RedAgent.MIXED, RedAgent.SLEEPY_B_LINE, RedAgent.LATE_B_LINE, RedAgent.SWITCH)
)
"""Those that play B_lineAgent's script, for an episode or for a part of it, so that they need its way."""
REPLAYED: dict[str, RedAgent] = RED_AGENTS | {
    name: BUILT_IN[name] for name in ("sleepy-bline", "sleepy-meander", "late-bline")
}
"""Those whose every draw shows in what they do, so that a replay of a recording has them choose for themselves."""
RED_WORDS: dict[str, str] = {
    BLINE_NAME: "B-line",
    "RedMeanderAgent": "Meander",
    "SleepAgent": "Sleep",
    "sleepy-bline": "Sleepy B-line",
    "sleepy-meander": "Sleepy Meander",
    "late-bline": "Late B-line",
}
"""What tables call those whose name is not their word."""
POLICY_SUFFIX = ".safetensors"
"""Of a policy's file; one of a policy of red's is a red agent."""
SHORT_NAMES: dict[str, str] = {"bline": "B_lineAgent", "meander": "RedMeanderAgent", "sleep": "SleepAgent"}


class Given(str):
    """The type of GIVEN, which no text that a user writes has."""


GIVEN: str = Given("given")
"""Whoever holds the game plays red in it; it has no name that a user can give."""


def parse_red_agent(name: str, others: str = "") -> str:
    """The name of a red agent: CybORG's, given that or the short one, in any case; others as they stand in `BUILT_IN`.

    Args:
        name: as the user wrote it.
        others: what else is possible where it was written, for the sentence.

    Raises:
        UserError: there is none of that name.
    """
    known = {full.lower(): full for full in BUILT_IN} | SHORT_NAMES
    if not isinstance(name, str) or name.lower() not in known:
        possible = [f"{full} ({short})" for short, full in SHORT_NAMES.items()]
        possible += [full for full in BUILT_IN if full not in RED_AGENTS]
        raise UserError(f"{name!r} is no red agent; possible are {', '.join(possible)}{others}.")
    return known[name.lower()]


def is_code(name: str) -> bool:
    """Whether a red agent is a class in a file, `path/to/file.py:Name`."""
    file, colon, cls = name.rpartition(":")
    return bool(colon) and file.endswith(".py") and cls.isidentifier()


def file_of_red(name: str) -> str | None:
    """The file that a red agent stands in; None for one that is built in."""
    return name.rpartition(":")[0] if is_code(name) else name if name.endswith(POLICY_SUFFIX) else None


def short_red_name(name: str) -> str:
    """A red agent in a word, for folders and tables: the class of `file.py:Name`, the stem of a policy's file.

    A policy that stands where its training left it, `RUN/policies/policy.safetensors`, goes by the folder of that.
    """
    if is_code(name):
        return name.rpartition(":")[2]
    if not name.endswith(POLICY_SUFFIX):
        return name
    path = Path(name)
    run = path.parent.parent.name if path.parent.name == "policies" else ""
    return run or path.stem


def red_words(name: str) -> str:
    """What tables call a red agent, in few letters."""
    return RED_WORDS.get(name) or (name.capitalize() if name in BUILT_IN else short_red_name(name))
