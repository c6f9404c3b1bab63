"""What a duel has come to: who plays what in the end, and how far the mixtures could be exploited round by round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.markdown import plain
from cageflow.studies.equilibrium import Equilibrium


class Round(NamedTuple):
    """A round.

    Attributes:
        number: from 1.
        before: the mixtures that it began with.
        red_gain: what red's new agent takes from blue's mixture beyond what it was worth.
        blue_gain: what blue's new agent gains on red's mixture, likewise.
    """

    number: int
    before: Equilibrium
    red_gain: float
    blue_gain: float

    @property
    def exploitability(self) -> float:
        """What both gain together: 0 where neither has anything left to learn; of a side that learned nothing 0."""
        return max(0.0, self.red_gain) + max(0.0, self.blue_gain)

    def words(self) -> str:
        """The round in one sentence."""
        none = " (who gained nothing counts 0)" if min(self.red_gain, self.blue_gain) < 0 else ""
        return (
            f"the mixtures were worth {self.before.value:z.2f} to blue; red gained {self.red_gain:z.2f} on blue's by "
            f"learning, blue {self.blue_gain:z.2f} on red's, so that their exploitability is "
            f"{self.exploitability:z.2f}{none}"
        )


@dataclass(frozen=True, kw_only=True)
class DuelTable:
    """All that a duel has found.

    Attributes:
        run_dir: its folder.
        policy: the defender that it began with, as the user named it.
        rules: that were played.
        network: identity of the network, as plain data.
        rounds: one after the other.
        blues, reds: names of the defenders and the attackers that there are in the end.
        payoffs: (N, M) blue's mean returns.
        last: the mixtures of them.
        files: of the defenders, as seen from the run's folder.
    """

    run_dir: Path
    policy: str
    rules: str
    network: Mapping[str, Any]
    rounds: tuple[Round, ...]
    blues: tuple[str, ...]
    reds: tuple[str, ...]
    payoffs: npt.NDArray[np.float64]
    last: Equilibrium
    files: Mapping[str, str]

    @property
    def safest(self) -> str:
        """The one defender that does best against the attacker that is worst for it."""
        return self.blues[int(np.argmax(self.payoffs.min(axis=1)))]

    def worst_of(self, blue: str) -> float:
        """A defender's mean return against the attacker that is worst for it."""
        return float(self.payoffs[self.blues.index(blue)].min())

    def shares(self, side: str) -> dict[str, float]:
        """The mixture of a side in the end, by name; those without a share aside."""
        names, shares = (self.blues, self.last.rows) if side == "blue" else (self.reds, self.last.columns)
        return {name: float(share) for name, share in zip(names, shares, strict=True) if share > 0.0}

    def to_json(self) -> dict[str, Any]:
        """What `cageflow duel --json` prints."""
        return {
            "run_dir": str(self.run_dir),
            "policy": self.policy,
            "rules": self.rules,
            "network": dict(self.network),
            "rounds": [
                {
                    "round": one.number,
                    "value": one.before.value,
                    "red_gain": one.red_gain,
                    "blue_gain": one.blue_gain,
                    "exploitability": one.exploitability,
                }
                for one in self.rounds
            ],
            "value": self.last.value,
            "blue": self.shares("blue"),
            "red": self.shares("red"),
            "safest": self.safest,
            "safest_worst": self.worst_of(self.safest),
            "files": dict(self.files),
            "payoffs": {
                blue: dict(zip(self.reds, map(float, means), strict=True))
                for blue, means in zip(self.blues, self.payoffs, strict=True)
            },
        }

    def markdown(self) -> str:
        """The tables for a document: the rounds, then who comes to what against whom."""
        lines = [["round", "worth to blue", "red gains", "blue gains", "exploitability"], ["---"] + ["---:"] * 4]
        for one in self.rounds:
            figures = (one.before.value, one.red_gain, one.blue_gain, one.exploitability)
            lines.append([str(one.number), *(f"{figure:z.2f}" for figure in figures)])
        table = [["blue's mean return", *map(plain, self.reds), "share"], ["---"] + ["---:"] * (len(self.reds) + 1)]
        for blue, means, share in zip(self.blues, self.payoffs, self.last.rows, strict=True):
            table.append([plain(blue), *(f"{mean:z.2f}" for mean in means), f"{share:.0%}"])
        table.append(["share", *(f"{share:.0%}" for share in self.last.columns), ""])
        return "\n\n".join("\n".join(f"| {' | '.join(row)} |" for row in part) for part in (lines, table))
