"""A CybORG that is the compiled simulator behind the original's classes, for programs that import it.

Its table is the official one, and its raw observations show what that table hides.
"""

import random
import sys
from types import ModuleType

import numpy as np
import pytest

from cageflow.envs.single import Cage2Env


class CybORG:
    """The game, twice: as the official and as the corrected table show it, with the same chance."""

    def __init__(self, scenario: str, mode: str, agents: dict[str, str]) -> None:
        assert scenario.endswith("Scenario2.yaml") and mode == "sim"
        self.official = Cage2Env(agents["Red"], observation="official")
        self.corrected = Cage2Env(agents["Red"])
        self.num_hidden = 0

    def start(self) -> np.ndarray:
        seed = random.getrandbits(32)
        self.tables = [env.reset(seed=seed)[0] for env in (self.official, self.corrected)]
        return self.tables[0].astype(int)

    def play(self, action: int) -> tuple[np.ndarray, float]:
        steps = [env.step(action) for env in (self.official, self.corrected)]
        self.tables = [step[0] for step in steps]
        assert steps[0][1] == steps[1][1]
        return self.tables[0].astype(int), steps[0][1]

    def get_observation(self, agent: str) -> dict:
        assert agent == "Blue"
        raw: dict = {"success": True}
        for i, host in enumerate(self.official.network.hosts):
            entries: list = [{"PID": 1, "Connections": [{"local_port": 22}]}]
            if self.tables[0][4 * i] < self.tables[1][4 * i]:
                entries += [{"Service Name": "apache2"}, {"Connections": [{"local_port": 80}]}]
                self.num_hidden += 1
            raw[host] = {"Processes": entries}
        return raw


class ChallengeWrapper:
    """CybORG's own environment of that name."""

    def __init__(self, agent_name: str, env: CybORG) -> None:
        assert agent_name == "Blue"
        self.env = env

    def reset(self) -> np.ndarray:
        return self.env.start()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, dict]:
        return *self.env.play(action), False, {}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `import CybORG` find the stub."""
    package, agents, wrappers = (ModuleType(name) for name in ("CybORG", "CybORG.Agents", "CybORG.Agents.Wrappers"))
    package.CybORG, package.Agents, wrappers.ChallengeWrapper = CybORG, agents, ChallengeWrapper
    for name in ("B_lineAgent", "RedMeanderAgent", "SleepAgent"):
        setattr(agents, name, name)
    for module in (package, agents, wrappers):
        monkeypatch.setitem(sys.modules, module.__name__, module)
