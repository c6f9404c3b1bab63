"""The bridge to an installed CybORG 2.1: the original game behind the same interface as the compiled simulator.

Nothing of CybORG is part of this package. It is imported from the folder that the user names, when it is first needed.
"""

import importlib
import random
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from cageflow.envs.blue_table import BlueTable
from cageflow.envs.cyborg_player import CyborgRedPlayer
from cageflow.envs.cyborg_red import GivenRed
from cageflow.envs.game import check_reset_options, check_seed
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.scenario import BlueKind
from cageflow.scenario.cyborg.images import SERVICE
from cageflow.scenario.named import find_network
from cageflow.scenario.red_agents import RED_AGENTS

PRIVILEGED_USERS = ("root", "SYSTEM")

Observation = npt.NDArray[np.float32]


class TrueState(NamedTuple):
    """Who has which session on which host, and what runs there. Blue never sees this; H hosts in table order.

    Attributes:
        user_sessions: (H,) int16, red sessions that are not privileged.
        privileged_sessions: (H,) int16, red sessions of the privileged user.
        decoys: (H,) uint8, bit i is set while a process of the network's `decoys[i]` is alive.
        ot_running: whether the service that Impact stops runs.
    """

    user_sessions: npt.NDArray[np.int16]
    privileged_sessions: npt.NDArray[np.int16]
    decoys: npt.NDArray[np.uint8]
    ot_running: bool


class CyborgEnv(gym.Env[Observation, np.int64]):
    """The game as CybORG plays it, its actions in the order of its `EnumActionWrapper`; in CAGE-2 145, and 52 values.

    An episode never terminates; it is truncated after `max_steps`. CybORG draws from Python's global generator, so
    `reset(seed=...)` seeds the whole process (and NumPy's global generator with it), and two of these environments in
    one process disturb each other's draws.

    Args:
        cyborg_path: the root of a clone of cage-challenge/cage-challenge-2, or the CybORG folder in it.
        red_agent: who plays red: an agent of CybORG's by its name or the short one, or whoever `GameOptions` takes, who
            is then asked by what CybORG tells red.
        observation: "corrected" or "official", see `cageflow.envs.blue_table`.
        max_steps: steps of an episode.
        green: whether the green agent is awake.
        scenario: whatever `cageflow.scenario.named.load_network` takes; None is CAGE-2's.
        given_red: whether the caller plays red, whatever `red_agent` is, by `red.action` before each step.
        lead_in: steps that may come before those of an episode, for an episode to begin elsewhere.

    Attributes:
        network: what is played on.
        red: does what `action` says where none of CybORG's agents plays red, else None.
        source: the same with the file that it came from.
        options: the settings; its `rules` say nothing here, `cyborg_rules` does.
        cyborg: the CybORG object, for those who must look inside.
        official_observation: (F,) float32, the last observation as CybORG's own table gives it.

    Raises:
        UserError: an argument is not possible, the folder holds no CybORG, or CybORG cannot be imported.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self,
        cyborg_path: Path | str | None,
        red_agent: str = GameOptions.red_agent,
        observation: str = GameOptions.observation,
        max_steps: int = GameOptions.max_steps,
        green: bool = GameOptions.green,
        scenario: Path | str | None = GameOptions.scenario,
        *,
        given_red: bool = False,
        lead_in: int = 0,
    ) -> None:
        self.options = GameOptions(red_agent, observation=observation, max_steps=max_steps, green=green)
        self.source = find_network(scenario)
        self.network = self.source.network
        is_own = self.options.red_agent in RED_AGENTS
        self._player = None if is_own or given_red else CyborgRedPlayer(replace(self.options, scenario=scenario))
        package = import_cyborg(cyborg_path)
        agents = importlib.import_module("CybORG.Agents")
        wrappers = importlib.import_module("CybORG.Agents.Wrappers")
        self.red = GivenRed(self.network) if given_red or not is_own else None
        players = {"Red": self.red or getattr(agents, self.options.red_agent)} | (
            {"Green": agents.GreenAgent} if green else {}
        )
        if scenario is None:
            file = Path(str(package.__file__)).parent / "Shared" / "Scenarios" / "Scenario2.yaml"
            self.cyborg = package.CybORG(str(file), "sim", agents=players)
        else:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "scenario.yaml"
                file.write_text(self.source.for_cyborg(), encoding="utf-8")
                self.cyborg = package.CybORG(str(file), "sim", agents=players)
        if self.red is not None:
            self.red.controller = self.cyborg.environment_controller
        self._game = wrappers.ChallengeWrapper(agent_name="Blue", env=self.cyborg)

        if tuple(str(action) for action in self._game.get_attr("possible_actions")) != self.network.codec.names:
            raise UserError(
                f"CybORG in {cyborg_path} has other blue actions than the {len(self.network.codec)} of its scenario."
            )
        self.action_space = spaces.Discrete(len(self.network.codec))
        self.observation_space = spaces.Box(0.0, 1.0, (self.network.num_observations,), np.float32)
        self._lead_in = lead_in
        self._steps_left = 0
        self._table: BlueTable | None = None
        self.official_observation: Observation = np.zeros(self.network.num_observations, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: seeds Python's and NumPy's global generators; none goes on with what they hold.
            options: none is possible.

        Raises:
            UserError: the seed is no whole number from 0, or there are options.
        """
        check_seed(seed)
        check_reset_options(options)
        super().reset(seed=None if seed is None else int(seed))
        if seed is not None:
            random.seed(int(seed))
            np.random.seed(int(seed) % 2**32)  # noqa: NPY002 - the global generator is what CybORG would use
        if self._player is not None:
            self._player.begin()
        self.official_observation = self._game.reset().astype(np.float32)
        self._table = BlueTable(self.network.hosts, self.cyborg.get_observation("Blue"))
        self._steps_left = self._lead_in + self.options.max_steps
        return self._observation(self._table), {}

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Args:
            action: number of a blue action.

        Raises:
            UserError: the action is out of range, or no episode is under way.
        """
        if self._table is None or self._steps_left == 0:
            raise UserError("no episode is under way; reset begins one.")
        if not self.action_space.contains(action):
            raise UserError(f"{action!r} is no action; possible are 0 to {len(self.network.codec) - 1}.")
        if self._player is not None and self.red is not None:
            self.red.action = self._player.choose()
        official, reward, _, _ = self._game.step(int(action))
        if self._player is not None:
            self._player.learn(self.cyborg)
        self.official_observation = official.astype(np.float32)
        codec = self.network.codec
        host = self.network.hosts[codec.host[action]]
        self._table.update(
            self.cyborg.get_observation("Blue"),
            removed=host if codec.kind[action] == BlueKind.REMOVE else None,
            restored=host if codec.kind[action] == BlueKind.RESTORE else None,
        )
        self._steps_left -= 1
        return self._observation(self._table), float(reward), False, self._steps_left == 0, {}

    def true_state(self) -> TrueState:
        """What really holds on the network now."""
        hosts = self.network.hosts
        state = self.cyborg.environment_controller.state
        sessions = np.zeros((2, len(hosts)), np.int16)
        for session in state.sessions["Red"].values():
            sessions[int(session.username in PRIVILEGED_USERS), hosts.index(session.host)] += 1
        decoys = np.zeros(len(hosts), np.uint8)
        for i, name in enumerate(hosts):
            for process in state.hosts[name].processes:
                if process.decoy_type.value:
                    service = process.name.lower().removesuffix(".exe")
                    decoys[i] |= 1 << self.network.decoys.index(service)
        goal = self.network.scenario.red.goal
        ot_running = goal is None or any(process.name == SERVICE for process in state.hosts[goal].processes)
        return TrueState(sessions[0], sessions[1], decoys, ot_running)

    def _observation(self, table: BlueTable) -> Observation:
        return table.vector() if self.options.observation == "corrected" else self.official_observation.copy()


def import_cyborg(cyborg_path: Path | str | None) -> Any:
    """Import CybORG from a folder and put that folder on `sys.path` for the rest of the process.

    Args:
        cyborg_path: the root of a clone of cage-challenge/cage-challenge-2, or the CybORG folder in it.

    Returns:
        The module `CybORG`.

    Raises:
        UserError: no folder is given, it holds no CybORG, another CybORG is in use, or the import fails.
    """
    folder = _package_folder(cyborg_path)
    loaded = sys.modules.get("CybORG")
    if loaded is not None:
        in_use = Path(str(loaded.__file__)).parent.parent
        if in_use != folder:
            raise UserError(f"CybORG is in use from {in_use}; start another process to use the one in {folder}.")
        return loaded
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        importlib.import_module("CybORG.Agents.Wrappers")
        return importlib.import_module("CybORG")
    except Exception as error:  # an old package under new libraries may raise anything
        sys.path.remove(str(folder))
        raise UserError(
            f'CybORG in {folder} cannot be imported ({error}); pip install "cageflow[cyborg]" installs what it needs.'
        ) from error


def cyborg_rules(cyborg_path: Path | str | None) -> str:
    """Tell by its behaviour which rule set an installed CybORG plays.

    Two fixes separate the rule sets: what becomes of a version string that the parser does not know, and whether a
    port scan forgets what an earlier one of that address found.

    Returns:
        "v2.1" or "challenge".

    Raises:
        UserError: it cannot be imported, or has only one of the two fixes.
    """
    import_cyborg(cyborg_path)
    version = importlib.import_module("CybORG.Shared.Enums").ProcessVersion
    session = importlib.import_module("CybORG.Simulator.Session").RedAbstractSession
    fixes = (version.parse_string("a version nobody knows") is not version.UNKNOWN, hasattr(session, "clearports"))
    rules = {(True, True): "v2.1", (False, False): "challenge"}
    if fixes not in rules:
        raise UserError(f"CybORG in {cyborg_path} plays neither the rules v2.1 nor challenge.")
    return rules[fixes]


def _package_folder(cyborg_path: Path | str | None) -> Path:
    """The folder that must be on `sys.path`: the one that holds the package CybORG."""
    where = "clone cage-challenge/cage-challenge-2 from GitHub and name its folder with --cyborg-path"
    if cyborg_path is None:
        raise UserError(f"No folder of CybORG is given; {where}.")
    given = Path(cyborg_path).expanduser().resolve()
    for package in (given / "CybORG", given / "CybORG" / "CybORG", given):
        if (package / "CybORG.py").is_file():
            return package.parent
    raise UserError(f"{cyborg_path} holds no CybORG; {where}.")
