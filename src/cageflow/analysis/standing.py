"""How a policy stands beside plain PPO and the baselines against every red agent, on the same fresh episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cageflow.agents.baselines import BASELINES
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueAgent
from cageflow.envs.options import GameOptions, why_not
from cageflow.envs.seeds import EpisodeStream
from cageflow.evaluation.episodes import play_episodes
from cageflow.scenario.red_agents import MIXED, RED_AGENTS

STREAM = "standing"
MOST_EPISODES = 200
"""Of each cell: a table of some twenty is to be looked at, not decided by."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What agents come to.

    Attributes:
        red_agents: whom they play against.
        episodes: of each cell.
        returns: of each agent by its name, and of each of its episodes by the red agent.
    """

    red_agents: tuple[str, ...]
    episodes: int
    returns: dict[str, dict[str, list[float]]]


def play_standing(
    agents: Iterable[tuple[str, BlueAgent]],
    options: GameOptions,
    episodes: int,
    seed: int,
    say: Callable[[str], None] = lambda words: None,
) -> Standing:
    """Play some agents and the baselines against every red agent that has a way through the network.

    Args:
        agents: with their names.
        options: the game, whose red agent is the first of the table.
        episodes: of each cell, MOST_EPISODES at most.
        seed: of them.
        say: is told what takes time.
    """
    count = min(episodes, MOST_EPISODES)
    own = [options.red_agent] if options.red_agent != MIXED else []
    reds = [*own, *(name for name in RED_AGENTS if name not in own and not why_not(name, options.unchecked_network))]
    everyone = [*agents, *((name, make(options.blue_setting)) for name, make in BASELINES.items())]
    seeds = EpisodeStream(seed, STREAM).seeds(0, count)
    returns: dict[str, dict[str, list[float]]] = {name: {} for name, _ in everyone}
    for red in reds:
        say(f"Playing {count:,} episodes of {len(everyone)} agents against {red}")
        spec = GameSpec(options.against(red, options.max_steps), masked=False)
        games = make_games(spec)
        for name, agent in everyone:
            returns[name][red] = play_episodes(agent, games, seeds).returns.tolist()
    return Standing(tuple(reds), count, returns)
