"""A policy to be asked for actions, one observation after the other, wherever these come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.champions import ChampionSource, champion_file
from cageflow.agents.given import GivenSource
from cageflow.agents.own_game import own_game
from cageflow.agents.sources import AgentSource, SourceOptions, find_agent
from cageflow.agents.trained import TrainedSource
from cageflow.envs.agent import BlueAgent, BlueView, OpenAgent
from cageflow.envs.memory import BlueMemory, check_actions
from cageflow.envs.options import RULES, GameOptions
from cageflow.errors import UserError
from cageflow.learn.policy import PolicyCard
from cageflow.learn.policy_file import load_policy as read_policy
from cageflow.scenario import Network
from cageflow.scenario.orders import Order, OrderLike

AGENT_TIMEOUT_S = 60.0


def load_policy(
    policy: str | Path | object,
    *,
    workflow: OrderLike | None = None,
    deterministic: bool = False,
    seed: int | None = None,
    network: str | Path | None = None,
    rules: str | None = None,
    observation: str | None = None,
    green: bool | None = None,
    durations: str | None = None,
    agent_args: Mapping[str, Any] | None = None,
    agent_timeout: float = AGENT_TIMEOUT_S,
) -> LoadedPolicy:
    """Load a policy that plays blue.

    What is left out of the game is as the policy was made for it. The policy reads observations of
    `gymnasium.make("cageflow/Cage2-v0")` with the same settings, and those of CybORG's table wrapper.

    Args:
        policy: whatever `cageflow evaluate` takes: `champion`, a baseline, a policy file, a run folder, an `.onnx`, a
            `.zip` of Stable-Baselines3, `FILE.py:Name`; or a function, an object or a class of this program.
        workflow: the order that a universal policy is to follow.
        deterministic: take the likeliest action in place of drawing one.
        seed: decides the draws, see `LoadedPolicy.reset`; None is chance.
        network: a network by its name or file.
        rules: "v2.1" or "challenge"; None is that of its training, v2.1 where it knows both.
        observation: "corrected" or "official".
        green: whether the green agent is awake.
        durations: how many steps actions take.
        agent_args: for the constructor of an agent in Python.
        agent_timeout: seconds that an agent in a process of its own has for an answer.

    Raises:
        UserError: it is no policy, or was not made for such a game.
    """
    options = SourceOptions(
        deterministic, dict(agent_args or {}), None, workflow, timeout_s=agent_timeout, scenario=network
    )
    source = find_source(policy, options)
    card = source.card if isinstance(source, TrainedSource) else None
    is_awake = bool(card.green) if green is None and card is not None else bool(green)
    game = own_game(
        source,
        red_agent="SleepAgent",  # whom it meets is nothing that it knows
        rules=rules or (source.trained_rules if source.trained_rules in RULES else RULES[0]),
        observation=observation,
        scenario=network,
        durations=durations,
        green=is_awake,
    )
    return LoadedPolicy(source, game, seed)


def find_source(policy: object, options: SourceOptions) -> AgentSource:
    """What a user means by a policy: text and paths as on the command line, or a thing of this program.

    Raises:
        UserError: it is no policy.
    """
    if isinstance(policy, LoadedPolicy):
        return policy.source
    if isinstance(policy, str | Path):
        return find_agent(str(policy), options)
    return GivenSource(policy, options.arguments, options.workflow())


@dataclass
class _Episodes:
    """The B episodes that a policy is in.

    Attributes:
        is_single: whether there is one, given as (F,) observations.
        memory: what blue remembers of them.
        actions: (B,) int16 what was answered last.
        step: steps played.
        view: what the policy was shown last.
    """

    is_single: bool
    memory: BlueMemory
    actions: npt.NDArray[np.int16]
    step: int = 0
    view: BlueView | None = None


class LoadedPolicy:
    """A policy that answers observations; blue's memory of the episode and the masks of its actions are kept here.

    One observation (F,) is answered by a number, B observations (B, F) of games that run in step by (B,) numbers.
    `reset` stands before the first observation of each episode but the first.

    Args:
        source: of the policy.
        game: that it plays.
        seed: decides its draws; None is chance.

    Attributes:
        source: as given.
        game: as given; against whom and for how long says nothing.
        notes: what a user has to know of it in this game, a sentence each.
    """

    def __init__(self, source: AgentSource, game: GameOptions, seed: int | None = None) -> None:
        self.source = source
        self.game = game
        self._agent: BlueAgent = source.load(game.blue_setting)
        self.notes = source.notes(game.blue_setting)
        self._stream = np.random.SeedSequence(seed)
        self._seeds = self._stream
        self._episodes: _Episodes | None = None

    def __repr__(self) -> str:
        return f"<policy {self.name} on {self.network.scenario.name}>"

    @property
    def name(self) -> str:
        """What the user called it."""
        return self.source.name

    @property
    def network(self) -> Network:
        """The network that it plays on."""
        return self.game.network

    @property
    def workflow(self) -> Order | None:
        """The order that it follows; None for none."""
        return None if self.source.workflow is None else self.source.workflow.order

    @property
    def card(self) -> PolicyCard | None:
        """What its file says of it; None where it is no file of a trained policy."""
        if isinstance(self.source, ChampionSource):
            return read_policy(champion_file(self.name), setting=self.game.blue_setting).card
        return self.source.card if isinstance(self.source, TrainedSource) else None

    @property
    def action_names(self) -> tuple[str, ...]:
        """(A,) what the numbers mean, such as "Remove User1"."""
        return self.network.codec.names

    def reset(self, seed: int | None = None) -> None:
        """Begin episodes: forget all that is remembered.

        Args:
            seed: begins the policy's own stream of chance, so that the same seed and the same observations give the
                same actions; None lets it run on.
        """
        if seed is not None:
            self._stream = np.random.SeedSequence(seed)
            self._seeds = self._stream
        elif self._episodes is not None:
            (self._seeds,) = self._stream.spawn(1)
        self._episodes = None

    def act(self, observation: Any, *, last_action: Any = None) -> Any:
        """Answer what blue sees.

        Args:
            observation: (F,) or (B, F) of 0 and 1, any type of number.
            last_action: what was done in the last step, (B,) for many, where that was not what this policy answered.

        Returns:
            The number of an action, or (B,) int64.

        Raises:
            UserError: the observation is none of such games, there are more or fewer than before, or the policy
                cannot answer: it looks at the truth, or at one game at a time.
        """
        table, is_single = self._table(observation)
        episodes = self._episodes
        if episodes is None:
            episodes = self._episodes = self._begin(len(table), is_single)
        else:
            self._go_on(episodes, table, is_single, last_action)
        memory = episodes.memory

        def in_turn(order: Order) -> npt.NDArray[np.uint8]:
            masks = np.ones((len(table), len(self.network.codec)), np.bool_)
            memory.keep_order(order, masks)
            return masks.view(np.uint8)

        last = episodes.actions if episodes.step else None
        view = BlueView(
            episodes.step, table, last, lambda: memory.masks().view(np.uint8), memory.recalled, self._refuse, in_turn
        )
        actions = np.asarray(self._agent.act(view))
        episodes.actions, episodes.view = actions.astype(np.int16), view
        episodes.step += 1
        return int(actions[0]) if is_single else actions.astype(np.int64)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """(A,) or (B, A) float64: how likely it held each action for the observation that it answered last.

        Raises:
            UserError: it has answered none, or does not say.
        """
        episodes = self._episodes
        if episodes is None or episodes.view is None:
            raise UserError("probabilities are those of the last observation, and there was none: call act before.")
        if not isinstance(self._agent, OpenAgent):
            raise UserError(f"{self.name} does not say how likely it holds its actions.")
        probs = self._agent.probabilities(episodes.view)
        return probs[0] if episodes.is_single else probs

    def _begin(self, num_envs: int, is_single: bool) -> _Episodes:
        most = self._agent.max_envs
        if most is not None and num_envs > most:
            games = "one game" if most == 1 else f"{most} games"
            raise UserError(f"{self.name} plays {games} at once, and was shown {num_envs} observations.")
        self._agent.reset(self._seeds.generate_state(num_envs, np.uint64).astype(np.uint64))
        return _Episodes(is_single, BlueMemory(self.game, num_envs), np.zeros(num_envs, np.int16))

    def _go_on(self, episodes: _Episodes, table: npt.NDArray[np.uint8], is_single: bool, last_action: Any) -> None:
        """Take in what the last step has shown."""
        num_envs = len(episodes.actions)
        if (len(table), is_single) != (num_envs, episodes.is_single):
            raise UserError(
                f"observations came {'one' if episodes.is_single else num_envs} at a time, and now "
                f"{'one' if is_single else len(table)}: call reset where episodes begin."
            )
        if last_action is not None:
            given = np.asarray([last_action] if is_single else last_action)
            if given.shape != (num_envs,):
                raise UserError(f"last_action has the shape {given.shape}; expected one for each observation.")
            check_actions(given, len(self.network.codec))
            episodes.actions = given.astype(np.int16)
        episodes.memory.update(episodes.actions, table)

    def _table(self, observation: Any) -> tuple[npt.NDArray[np.uint8], bool]:
        """Observations as (B, F) uint8, and whether there is but one, without an axis of games."""
        given, num_observations = np.asarray(observation), self.network.num_observations
        is_single = given.ndim == 1
        rows = given[None] if is_single else given
        if rows.ndim != 2 or rows.shape[1] != num_observations or not len(rows):
            raise UserError(
                f"the observation has the shape {given.shape}; on {self.network.scenario.name} expected "
                f"({num_observations},), or (games, {num_observations}) for many at once."
            )
        try:
            table = rows.astype(np.uint8)
            is_right = bool((table == rows).all()) and int(table.max()) <= 1
        except (TypeError, ValueError):
            is_right = False
        if not is_right:
            raise UserError("the observation has other values than 0 and 1; expected what the environment gives.")
        return table, is_single

    def _refuse(self) -> npt.NDArray[np.int8]:
        raise UserError(
            f"{self.name} looks at the true state of the network, which no observation tells: have it play by "
            "cageflow.evaluate."
        )


def as_text(workflow: OrderLike) -> str:
    """An order as text that every setting takes."""
    if isinstance(workflow, Sequence) and not isinstance(workflow, str):
        return ",".join(map(str, workflow))
    return str(workflow)
