"""Where actions take time: nobody sends a second crew where one is at work, and busy crews are let alone."""

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.agents.baselines.greedy import RESTORE
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import Actions, BlueAgent, BlueSetting, BlueView
from cageflow.envs.options import GameOptions
from cageflow.evaluation.episodes import play_episodes
from cageflow.scenario import BlueKind, Network, load_network
from cageflow.sim.recall import recalled_crews

STEPS, GAMES = 40, 8


class Watched:
    """An agent, and of what it does that it cannot or should not."""

    max_envs = None

    def __init__(self, agent: BlueAgent, network: Network) -> None:
        self.agent, self.network = agent, network
        self.begun, self.busy, self.twice, self.at_once = 0, 0, 0, 0

    def reset(self, seeds: np.ndarray) -> None:
        self.agent.reset(seeds)

    def act(self, view: BlueView) -> Actions:
        actions = self.agent.act(view)
        under_way, is_free = recalled_crews(self.network, view.recalled)
        codec = self.network.codec
        acts = codec.kind[actions] != BlueKind.SLEEP
        restores = codec.kind[actions] == BlueKind.RESTORE
        host, games = codec.host[actions], np.arange(len(actions))
        self.begun += int((acts & is_free).sum())
        self.busy += int((acts & ~is_free).sum())
        self.twice += int((restores & is_free & under_way[games, RESTORE, host]).sum())
        self.at_once = max(self.at_once, int(under_way.any(axis=1).sum(axis=1).max()))
        return actions


def watched(name: str, network: Network, red_agent: str = "meander") -> Watched:
    options = GameOptions(red_agent, max_steps=STEPS)
    options.__dict__["unchecked_network"] = network
    agent = Watched(BASELINES[name](BlueSetting(network)), network)
    games = make_games(GameSpec(options, masked=True))
    play_episodes(agent, games, np.arange(GAMES, dtype=np.uint64))
    return agent


def with_crews(network: Network, crews: int) -> Network:
    return Network.shared(network.scenario.model_copy(update={"crews": crews}))


@pytest.mark.parametrize("crews", [1, 2])
@pytest.mark.parametrize("name", ["flagged", "react", "greedy"])
def test_crews__go_where_none_is_at_work_and_are_let_alone_while_busy(name: str, crews: int) -> None:
    one = watched(name, with_crews(load_network(durations="blue-cage4"), crews))
    assert one.begun > GAMES and (one.busy, one.twice) == (0, 0)
    assert one.at_once == crews, "or the test shows nothing"


def blind(network: Network, recalled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What an agent takes for true that does not look: nothing is under way, and a crew is free."""
    under_way, is_free = recalled_crews(network, recalled)
    return np.zeros_like(under_way), np.ones_like(is_free)


@pytest.mark.parametrize(
    ("name", "fault"), [("flagged", "twice"), ("react", "twice"), ("greedy", "twice"), ("greedy", "busy")]
)
def test_agent_that_does_not_look__is_noticed(monkeypatch: pytest.MonkeyPatch, name: str, fault: str) -> None:
    network = with_crews(load_network(durations="9,9,9,9"), 2)
    monkeypatch.setattr(f"cageflow.agents.baselines.{name}.recalled_crews", blind)
    assert getattr(watched(name, network), fault) > 0


def test_more_crews__lose_less_to_red() -> None:
    def lost(crews: int) -> float:
        network = with_crews(load_network(durations="1,9,9,1"), crews)
        options = GameOptions("bline", max_steps=STEPS)
        options.__dict__["unchecked_network"] = network
        games = make_games(GameSpec(options, masked=True))
        seeds = np.arange(200, dtype=np.uint64)
        agent = BASELINES["greedy"](BlueSetting(network))
        return -float(play_episodes(agent, games, seeds).returns.mean())

    assert lost(2) < lost(1)


def test_random_and_sleep__play_on() -> None:
    network = with_crews(load_network(durations="blue-cage4"), 2)
    assert watched("sleep", network).begun == 0
    drawn = watched("random", network)
    assert drawn.begun > 0 and drawn.busy > 0, "what it draws while all are busy does nothing"
