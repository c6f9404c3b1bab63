"""An episode step by step: who did what and why it went so, the truth beside what blue saw. Plain data to be shown.

Hosts are given by index, levels by the digits of `inspection.Access`, `Activity` and `Compromise`, one for each host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

HELD, DOWN, RESTORED = "held", "down", "restored"
"""What costs points: a host that red holds with privileges, a service that is down, a Restore."""
EVICTED = "red is out"
"""What came of a fix that ended an intrusion."""
FOLLOWS, DEPARTS = "follows", "departs"
"""How a fix stands to the workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How things stand after a step, or at the start.

    Attributes:
        access: at which level red holds each host.
        activity, belief: what blue's table shows of each host.
        sessions: (host, at user level, privileged) where red has any.
        decoys: (host, numbers of decoys) where there are any.
        malware: hosts with files that Analyse finds.
        down: hosts whose service is down.
    """

    access: str
    activity: str
    belief: str
    sessions: tuple[tuple[int, int, int], ...]
    decoys: tuple[tuple[int, tuple[int, ...]], ...]
    malware: tuple[int, ...]
    down: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStep:
    """One step.

    Attributes:
        number: from 1.
        blue, blue_kind, blue_host: what blue chose, such as "Remove User1", its `BlueKind`, and its host or -1.
        blue_success: of what ended in this step; None where the game says neither.
        in_vain: whether it was not begun, since all crews were busy.
        ended: what of blue's took effect: name, host, what came of it.
        under_way: blue's actions that go on: name, host, steps that are left, steps that it takes.
        red, red_kind, red_host, red_subnet: what red did, such as "Impact Op_Server0", and its target, -1 for none.
        red_success: None where the game says neither.
        red_from, red_through, red_why: see `red_turns.RedTurn`.
        green_host: that green scanned, or -1.
        reward: of blue.
        causes: (host, HELD, DOWN or RESTORED, points); they add up to the reward.
        likeliest: the policy's likeliest actions before the step, with their probabilities; empty where it has none.
        chosen_prob: probability of what it chose; None where it has none.
        verdict: FOLLOWS or DEPARTS where blue began a fix and there is a workflow; otherwise empty.
        tested: whether that fix put the workflow to the test, see `cageflow.workflow.tested`; None without a verdict.
        due: unit type that the workflow wanted fixed before the step; empty for none.
        compromised: hosts that counted as compromised before the step, by the workflow's definition.
        after: how things stand then.
    """

    number: int
    blue: str
    blue_kind: int
    blue_host: int
    blue_success: bool | None
    in_vain: bool
    ended: tuple[tuple[str, int, str], ...]
    under_way: tuple[tuple[str, int, int, int], ...]
    red: str
    red_kind: int
    red_host: int
    red_subnet: int
    red_success: bool | None
    red_from: int
    red_through: tuple[int, ...]
    red_why: str
    green_host: int
    reward: float
    causes: tuple[tuple[int, str, float], ...]
    likeliest: tuple[tuple[str, float], ...]
    chosen_prob: float | None
    verdict: str
    tested: bool | None
    due: str
    compromised: tuple[int, ...]
    after: Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """An episode to look at.

    Attributes:
        title: what it is called.
        seed: of its game.
        env_return: what it came to.
        compliance: None without a workflow.
        start: how things stood before the first step.
        steps: its steps.
    """

    title: str
    seed: int
    env_return: float
    compliance: float | None
    start: Situation
    steps: tuple[ReplayStep, ...]

    def to_json(self) -> dict[str, Any]:
        """The episode as plain data for `json.dump`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Replay:
        """Read what `to_json` wrote.

        Raises:
            TypeError, KeyError, ValueError: it is none of it.
        """
        steps = tuple(
            ReplayStep(**{**_tuples(step), "after": Situation(**_tuples(step["after"]))}) for step in data["steps"]
        )
        return cls(**{**data, "start": Situation(**_tuples(data["start"])), "steps": steps})


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a record as they were before JSON made lists of them."""
    return {name: _tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _tuple(values: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)
