"""A policy whose order is enforced keeps it wherever it acts, whatever its weights and whatever came before."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cageflow.agents.playing import play_steps
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.collect import GameSpec
from cageflow.collect.games import LocalGames
from cageflow.collect.simulators import make_games
from cageflow.envs import cyborg_batch
from cageflow.envs.agent import BlueAgent, BlueView
from cageflow.envs.options import GameOptions
from cageflow.envs.single import Cage2Env
from cageflow.learn.policy import ANY_WORKFLOW, Policy
from cageflow.learn.policy_file import load_policy, save_policy
from cageflow.scenario import BlueKind
from tests.helpers.agents import NETWORK, policy

ORDER = NETWORK.orders.unrank(7)
FIXES = np.flatnonzero(np.isin(NETWORK.codec.kind, [BlueKind.REMOVE, BlueKind.RESTORE]))
SEEDS = np.arange(20, dtype=np.uint64)
NUM_STEPS = 40


def fond_of_fixes(seed: int = 0, **card: object) -> Policy:
    """A policy of random weights that would rather fix than not."""
    made = policy(seed, **{"workflow": ",".join(ORDER), "workflow_mode": "enforced", **card})
    made.layers[-1][1][FIXES] += 4.0
    return Policy(made.card, made.layers, made.order_encoding)


class Disturbed:
    """Plays an agent whose first moves are taken from it: at random, fixes too, or none."""

    max_envs = None

    def __init__(self, agent: BlueAgent, num_steps: int, actions: list[int]) -> None:
        self._agent, self._num_steps, self._actions = agent, num_steps, actions

    def reset(self, seeds: npt.NDArray[np.uint64]) -> None:
        self._agent.reset(seeds)
        self._rng = np.random.default_rng(int(seeds[0]))

    def act(self, view: BlueView) -> npt.NDArray[np.integer]:
        own = self._agent.act(view)
        return own if view.step >= self._num_steps else self._rng.choice(self._actions, len(own))


def departures(agent: BlueAgent, games: LocalGames, first: int = 0) -> int:
    """Fixes from a step on that were chosen while a host of a type before their own did not look clean in the table."""
    types = np.array([ORDER.index(host.unit_type) for host in NETWORK.scenario.hosts.values()])
    games.reset(SEEDS, None)
    table, found, num_fixes = games.table.copy(), 0, 0
    for step in play_steps(agent, games, SEEDS):
        for bits, action in zip(table, step.actions, strict=True):
            flagged = bits.reshape(-1, 4)[:, 2:].any(axis=1)
            flagged[NETWORK.hosts.index("User0")] = False
            if action in FIXES and step.number >= first:
                num_fixes += 1
                found += bool(flagged.any()) and types[flagged].min() < types[NETWORK.codec.host[action]]
        table = games.table.copy()
    assert num_fixes > 0
    return found


@pytest.fixture(params=["compiled", "bridge"])
def games(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalGames:
    """Games of the compiled simulator, and the same behind the bridge to the original."""
    monkeypatch.setattr(cyborg_batch, "CyborgEnv", lambda path, lead_in, **settings: Cage2Env(**settings))
    path = None if request.param == "compiled" else "a folder"
    return make_games(GameSpec(GameOptions("meander", max_steps=NUM_STEPS), masked=True, cyborg_path=path))


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("card", [{}, {"mask_actions": False}, {"memory": True}], ids=str)
def test_enforced_policy__never_fixes_what_has_to_wait(
    games: LocalGames, card: dict[str, bool], deterministic: bool
) -> None:
    def agent(mode: str) -> PolicyAgent:
        return PolicyAgent(fond_of_fixes(workflow_mode=mode, **card), deterministic=deterministic)

    assert departures(agent("enforced"), games) == 0
    if not deterministic:
        assert departures(agent("rewarded"), games) > 0, "it would, without masks"


@pytest.mark.parametrize(
    "actions", [[0], FIXES.tolist(), list(range(len(NETWORK.codec)))], ids=["asleep", "fixes", "any"]
)
def test_enforced_policy__keeps_its_order_off_the_path_that_it_would_have_taken(
    games: LocalGames, actions: list[int]
) -> None:
    for seed in range(2):
        agent = Disturbed(PolicyAgent(fond_of_fixes(seed)), 20, actions)
        assert departures(agent, games, first=20) == 0


def test_universal_policy__keeps_the_order_that_it_is_told(tmp_path: Path) -> None:
    one = fond_of_fixes()
    universal = Policy(replace(one.card, workflow=ANY_WORKFLOW), one.layers)
    save_policy(tmp_path / "any.safetensors", universal)
    games = make_games(GameSpec(GameOptions("meander", max_steps=NUM_STEPS), masked=True))
    loaded = load_policy(tmp_path / "any.safetensors")
    assert loaded.card.is_enforced and loaded.card.kept_order is None
    assert departures(PolicyAgent(loaded.for_order(ORDER)), games) == 0
    assert departures(PolicyAgent(loaded.for_order(ORDER[::-1])), games) > 0


@pytest.mark.cyborg
def test_enforced_policy__keeps_its_order_in_the_original(cyborg_path: Path) -> None:
    options = GameOptions("meander", max_steps=30)
    games = make_games(GameSpec(options, masked=True, cyborg_path=str(cyborg_path)))

    def disturbed(mode: str) -> BlueAgent:
        return Disturbed(PolicyAgent(fond_of_fixes(workflow_mode=mode)), 10, FIXES.tolist())

    assert departures(disturbed("enforced"), games, first=10) == 0
    assert departures(disturbed("rewarded"), games, first=10) > 0
