"""Games in which the learner is red: what it sees, what it gets, and who plays blue."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.agents.sources import BaselineSource
from cageflow.collect import make_collector
from cageflow.collect.games import GameSpec
from cageflow.collect.red_games import RedGames
from cageflow.collect.simulators import make_learners_games
from cageflow.envs.agent import BlueAgent, BlueSetting
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, UNPERTURBED, perturbing_action, start_of
from cageflow.envs.seeds import EpisodeStream
from cageflow.envs.varying import Variation, parse_mixture
from cageflow.errors import UserError
from cageflow.learn.inference import ActorWeights, pack_weights
from cageflow.scenario import default_network
from tests.helpers.agents import Scripted, policy, red_layers, red_policy_file

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
    return pack_weights(red_layers(seed), "tanh")


def play_line(games: RedGames, names: list[str]) -> np.ndarray:
    """Play these actions of red's in all games; the rewards, (T, B)."""
    rewards = np.empty((len(names), 6), np.float32)
    nothing = np.empty(6, np.float32)
    for row, name in zip(rewards, names, strict=True):
        games.step(np.full(6, NETWORK.red_codec.encode(name), np.int16), row, nothing)
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
    assert masks[:, NETWORK.red_codec.encode("sweep User")].all()
    assert not masks[:, NETWORK.red_codec.encode("impact Op_Server0")].any()
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


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    """The file of a policy of red's."""
    return red_policy_file(tmp_path / "red.safetensors")


def test_policy_of_red_in_a_mixture__plays_its_share_and_each_episode_is_the_same_in_whatever_batch(
    learned: Path,
) -> None:
    seeds = EpisodeStream(7, "test").seeds(0, 40)
    mixture = parse_mixture(f"{learned}=1,meander=1")
    blue = pack_weights(policy(1).layers, "tanh")
    plain = GameSpec(GameOptions("sleep", max_steps=STEPS), masked=True)
    vector, sequential = (make_collector(name, plain, 1) for name in ("vector", "sequential"))
    whole = vector.play(blue, seeds, None, Variation(red_mixture=mixture))
    alone = sequential.play(blue, seeds[10:14], None, Variation(red_mixture=mixture))
    assert whole.seeds.tolist() == seeds.tolist()
    assert whole.env_returns[10:14].tolist() == alone.env_returns.tolist()
    assert whole.rollout.actions[:, 10:14].tolist() == alone.rollout.actions.tolist()
    scripted = vector.play(blue, seeds, None, Variation(red_mixture=parse_mixture("meander=1")))
    same = whole.env_returns == scripted.env_returns
    assert 0.3 < same.mean() < 1.0  # those of the policy differ, where they cost anything


def test_policy_of_red_in_a_mixture__starts_perturbed_like_all_others_and_leaves_the_rest_alone(learned: Path) -> None:
    seeds = EpisodeStream(7, "test").seeds(0, 40)
    plain = Variation(red_mixture=parse_mixture(f"{learned}=1"))
    collector = make_collector("vector", GameSpec(GameOptions("sleep", max_steps=STEPS), masked=True), 1)
    blue = pack_weights(policy(1).layers, "tanh")
    actions, others = (
        collector.play(blue, seeds, None, replace(plain, perturbed=share)).rollout.actions for share in (0.5, 0.0)
    )
    is_perturbed = np.array([start_of(seed, 0.5) != UNPERTURBED for seed in seeds])
    assert 10 < is_perturbed.sum() < 30
    assert np.array_equal((actions != others).any(axis=0), is_perturbed)


def test_red_that_comes_from_outside__knows_all_of_a_perturbed_start(learned: Path) -> None:
    """As where the steps were played one by one; by hand for each game."""
    options = GameOptions(str(learned))
    games, table = GameBatch(options, 12), np.zeros((12, NETWORK.num_observations), np.uint8)
    seeds = EpisodeStream(7, "test").seeds(0, 12)
    games.begin(seeds, table)
    games.vary(seeds, Variation(perturbed=0.5), table)
    assert games.red is not None
    one, seen, reward = GameBatch(options, 1), table[:1].copy(), np.empty(1, np.float32)
    for i, seed in enumerate(seeds):
        one.begin(seeds[i : i + 1], seen)
        start = start_of(seed, 0.5)
        for step in range(0 if start == UNPERTURBED else PERTURBING_STEPS):
            one.play(np.array([perturbing_action(seed, step, start, len(NETWORK.codec))], np.int16), seen, reward)
        assert one.red is not None
        assert games.states[i] == one.states[0] and games.red.memory.records[i] == one.red.memory.records[0]
        assert np.array_equal(table[i], seen[0])
    told = games.red.memory.records["step"]
    assert set(told.tolist()) == {0, PERTURBING_STEPS}


def test_learner_that_plays_red__has_slept_through_a_perturbed_start_and_knows_it() -> None:
    games = make_learners_games(spec())
    games.reset(SEEDS, None, Variation(perturbed=1.0))
    begun = games.observations.copy()
    assert isinstance(games, RedGames)
    games.reset(SEEDS, None)
    play_line(games, ["Sleep"] * PERTURBING_STEPS)
    assert np.array_equal(begun, games.observations)


def test_policy_of_red__draws_on_where_a_game_goes_on_from_a_state(learned: Path) -> None:
    games, table = GameBatch(GameOptions(str(learned)), 6), np.zeros((6, NETWORK.num_observations), np.uint8)
    games.begin(SEEDS, table)
    asleep, rewards = np.zeros(6, np.int16), np.empty(6, np.float32)
    for _ in range(5):
        games.play(asleep, table, rewards)
    state, done = games.save({}), []
    for _ in range(2):
        games.play(asleep, table, rewards)
        done.append(games.states.copy())
        games.load(state, {})
    assert done[0]["step"].tolist() == [6] * 6 and (done[0] == done[1]).all()
    alone = GameBatch(GameOptions(str(learned)), 6)
    alone.begin(SEEDS, table)
    alone.load(state, {})
    alone.play(asleep, table, rewards)
    assert (alone.states == done[0]).all()


def test_mixture_with_a_file_that_is_not_there__is_refused() -> None:
    with pytest.raises(UserError, match="red_mixture names none.safetensors, and there is no such file"):
        parse_mixture("none.safetensors=1,meander=1")
