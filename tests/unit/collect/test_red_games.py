"""Games in which the learner is red: what it sees, what it gets, and who plays blue."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.collect import make_collector
from cageflow.collect.games import GameSpec
from cageflow.collect.red_games import RedGames
from cageflow.collect.simulators import make_learners_games
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.learn.inference import ActorWeights, pack_weights
from cageflow.scenario import default_network
from tests.helpers.agents import Scripted

NETWORK = default_network()
STEPS = 20
SEEDS = EpisodeStream(5, "test").seeds(0, 6)


@dataclass(frozen=True)
class Handed:
    """A source that gives an agent which is there already."""

    agent: Any

    def load(self, setting: BlueSetting) -> BlueAgent:
        agent: BlueAgent = self.agent
        return agent

    def notes(self, setting: BlueSetting) -> tuple[str, ...]:
        return ()


REACT = BaselineSource("react")


def spec(blue: Any = REACT, **others: Any) -> GameSpec:
    return GameSpec(GameOptions(max_steps=STEPS), masked=True, blue=blue, **others)


def weights(seed: int = 0) -> ActorWeights:
    rng = np.random.default_rng(seed)
    sizes = [(8, NETWORK.num_red_observations), (len(NETWORK.red_codec), 8)]
    layers = [(rng.normal(size=size).astype(np.float32), rng.normal(size=size[0]).astype(np.float32)) for size in sizes]
    return pack_weights(layers, "tanh")


def play_line(games: RedGames, names: list[str]) -> np.ndarray:
    """Play these actions of red's in all games; the rewards, (T, B)."""
    rewards = np.empty((len(names), 6), np.float32)
    nothing = np.empty(6, np.float32)
    for row, name in zip(rewards, names, strict=True):
        games.step(np.full(6, NETWORK.red_codec.index(name), np.int16), row, nothing)
    return rewards


def test_learner__gets_what_blue_loses() -> None:
    games = make_learners_games(spec(BaselineSource("sleep")))
    assert isinstance(games, RedGames)
    games.reset(SEEDS, None)
    rewards = play_line(games, ["Sleep", "sweep User", "scan User1", "exploit User1", "escalate User1", "Sleep"])
    assert (rewards[:3] == 0.0).all() and not np.signbit(rewards).any()
    assert rewards.max() == pytest.approx(0.1)  # a privileged session on a user host
    assert games.outcomes().compliance.shape == (6,)


def test_masks_and_observations__are_what_red_knows() -> None:
    games = make_learners_games(spec())
    games.reset(SEEDS, None)
    masks = games.masks
    assert masks is not None and masks.shape == (6, len(NETWORK.red_codec))
    assert games.observations.shape == (6, NETWORK.num_red_observations)
    assert masks[:, NETWORK.red_codec.index("sweep User")].all()
    assert not masks[:, NETWORK.red_codec.index("impact Op_Server0")].any()
    assert make_learners_games(GameSpec(GameOptions(max_steps=STEPS), masked=False, blue=spec().blue)).masks is None


def test_blue__is_asked_once_a_step_and_draws_apart_from_red() -> None:
    blue = Scripted()
    games = make_learners_games(spec(Handed(blue)))
    games.reset(SEEDS, None)
    assert isinstance(games, RedGames)
    play_line(games, ["Sleep"] * 3)
    assert [one.step for one in blue.views] == [0, 1, 2]
    assert not np.isin(blue.seeds[0], SEEDS).any() and len(set(blue.seeds[0].tolist())) == 6


def test_episode__is_the_same_in_whatever_batch() -> None:
    vector, sequential = (make_collector(name, spec(), 1) for name in ("vector", "sequential"))
    whole, alone = vector.play(weights(), SEEDS, None), sequential.play(weights(), SEEDS[3:5], None)
    assert whole.env_returns[3:5].tolist() == alone.env_returns.tolist()
    assert whole.rollout.actions[:, 3:5].tolist() == alone.rollout.actions.tolist()
    assert (whole.env_returns >= 0.0).all() and whole.env_returns.max() > 0.0


def test_blue_that_plays_fewer_games__is_refused_with_a_way_out() -> None:
    games = make_learners_games(spec(Handed(Scripted(max_envs=2))))
    with pytest.raises(UserError, match="blue plays 2 games at once, and 6 are .* --collector sequential"):
        games.reset(SEEDS, None)


def test_blue_that_gives_no_action__is_refused_with_its_step() -> None:
    games = make_learners_games(spec(Handed(Scripted(action=999))))
    games.reset(SEEDS, None)
    assert isinstance(games, RedGames)
    with pytest.raises(UserError, match="in step 1 the agent gave no action: 999 is no action"):
        play_line(games, ["Sleep"])
