"""An agent in an environment that somebody watches sees what it would see in a batch."""

import numpy as np

from cageflow.agents.player import AgentPlayer
from cageflow.collect import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.envs.single import Cage2Env
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import NETWORK, Scripted

ORDER = NETWORK.orders.unrank(7)


def test_player__shows_what_a_batch_shows() -> None:
    actions = [NETWORK.codec.encode(name) for name in ("Sleep", "DecoyVsftpd User1", "Restore User2")] * 10
    shown, waiting = [], []

    class Changing(Scripted):
        def act(self, view):
            last = None if view.last_actions is None else view.last_actions.tolist()
            shown.append((view.step, last, view.observations.tolist(), view.masks.tolist(), view.access.tolist()))
            waiting.append(view.in_turn(ORDER).tolist())
            return np.array([actions[view.step]])

    play_episodes(
        Changing(),
        make_games(GameSpec(GameOptions("meander", max_steps=30), True)),
        np.array([4], np.uint64),
    )
    batch, in_turn = shown.copy(), waiting.copy()
    shown.clear()
    waiting.clear()
    env = Cage2Env("meander", max_steps=30)
    observation, _ = env.reset(seed=4)
    player = AgentPlayer(Changing(), env, seed=4)
    for _ in range(30):
        observation, *_ = env.step(player(observation))
    assert shown == batch
    assert waiting == in_turn and 0 in waiting[-1][0]
    assert Access.USER in np.array(shown[-1][4]) or Access.PRIVILEGED in np.array(shown[-1][4])


def test_seed__decides_the_agent_s_draws() -> None:
    env = Cage2Env()
    agents = [Scripted() for _ in range(3)]
    for agent, seed in zip(agents, (1, 1, 2), strict=True):
        AgentPlayer(agent, env, seed)
    seeds = [int(agent.seeds[0][0]) for agent in agents]
    assert seeds[0] == seeds[1] != seeds[2]
