"""From an agent and a game to the page that shows its episodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cageflow.agents.player import agent_seed
from cageflow.analysis.replay import Replay
from cageflow.analysis.replaying import ScriptedAgent, replay_episodes
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.agent import BlueAgent
from cageflow.envs.game import SEED_RANGE
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.report.watch.data import watch_data
from cageflow.report.watch.page import write_page
from cageflow.scenario.durations import takes_time, words_on_time


def watch_episodes(
    path: Path,
    agent: BlueAgent,
    options: GameOptions,
    workflow: WorkflowSpec | None,
    *,
    blue: str,
    seed: int = 0,
    episodes: int = 1,
) -> list[Replay]:
    """Play episodes and write the page that shows them; each is the one that `play` shows for its seed.

    Args:
        path: of the page.
        agent: plays blue.
        options: the game.
        workflow: that fixes are judged by, or None.
        blue: what the agent is called.
        seed: of the first episode; the next ones have the next seeds.
        episodes: how many.

    Raises:
        UserError: the agent gives what is no action, or the page cannot be written.
    """
    seeds = [(seed + i) % SEED_RANGE for i in range(episodes)]
    replays = replay_episodes(
        agent,
        options,
        np.array(seeds, np.uint64),
        workflow,
        titles=[f"Seed {one}" for one in seeds],
        agent_seeds=np.concatenate([agent_seed(one) for one in seeds]),
    )
    _write(path, replays, options, workflow, blue)
    return replays


def show_played(
    path: Path,
    actions: Sequence[int],
    agent: BlueAgent | None,
    options: GameOptions,
    workflow: WorkflowSpec | None,
    *,
    blue: str,
    seed: int,
) -> None:
    """Write the page of an episode that was played already.

    Args:
        path: of the page.
        actions: blue's, as far as it was played.
        agent: who played it, for its probabilities; None for a person.
        options: the game.
        workflow: that fixes are judged by, or None.
        blue: what the player is called.
        seed: of the episode.

    Raises:
        UserError: the page cannot be written.
    """
    replays = replay_episodes(
        ScriptedAgent(actions, agent),
        options,
        np.array([seed % SEED_RANGE], np.uint64),
        workflow,
        titles=[f"Seed {seed}"],
        agent_seeds=agent_seed(seed),
        num_steps=len(actions),
    )
    _write(path, replays, options, workflow, blue)


def _write(
    path: Path, replays: Sequence[Replay], options: GameOptions, workflow: WorkflowSpec | None, blue: str
) -> None:
    network = options.network
    facts = [network.scenario.name, f"rules {options.rules}", f"{options.observation} observation"]
    facts += [words_on_time(network.scenario)] if takes_time(network.scenario) else []
    order = None if workflow is None else workflow.order
    data = watch_data(network, replays, order, green=options.green, alone=True)
    try:
        write_page(path, data, f"{blue} against {options.red_agent}", facts)
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be written: {error.strerror}") from error
