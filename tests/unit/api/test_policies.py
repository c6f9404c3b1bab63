"""A loaded policy does in any hands what it does in our games."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import cageflow
from cageflow.agents.playing import play_steps
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.collect import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from tests.helpers.agents import NETWORK, policy_file

ORDER = "op_server > enterprise > user > defender > op_host"
CARDS: dict[str, dict[str, Any]] = {
    "masked": {},
    "remembering": {"memory": True},
    "enforced": {"workflow": ORDER.replace(" ", "").replace(">", ","), "workflow_mode": "enforced", "memory": True},
}


def games_play(path: Path, options: GameOptions, seeds: np.ndarray, *, deterministic: bool) -> list[list[int]]:
    """The actions of a policy in our own games, step by step."""
    agent = find_agent(str(path), SourceOptions(deterministic)).load(options.blue_setting)
    games = make_games(GameSpec(options, masked=True))
    games.reset(seeds, None)
    return [step.actions.tolist() for step in play_steps(agent, games, seeds)]


@pytest.mark.parametrize("durations", ["file", "cage4"])
@pytest.mark.parametrize("card", CARDS)
def test_answers_to_observations_alone_are_those_of_our_games(tmp_path: Path, card: str, durations: str) -> None:
    network = GameOptions(durations=durations).network
    path = policy_file(tmp_path / "policy.safetensors", network=network, **CARDS[card])
    options = GameOptions("meander", max_steps=40, durations=durations)
    seeds = np.array([3, 4], np.uint64)
    expected = games_play(path, options, seeds, deterministic=True)
    envs = gym.make_vec("cageflow/Cage2-v0", num_envs=2, **options.as_kwargs())
    observations, _ = envs.reset(seed=[3, 4])
    policy = cageflow.load_policy(path, deterministic=True)
    taken = []
    for _ in range(40):
        taken.append(policy.act(observations).tolist())
        observations, *_ = envs.step(np.array(taken[-1]))
    assert taken == expected
    assert len({tuple(step) for step in taken}) > 3  # or anything would do


def test_one_observation_is_answered_by_a_number_and_like_a_batch_of_one(tmp_path: Path) -> None:
    path = policy_file(tmp_path / "policy.safetensors", memory=True)
    observation = np.zeros(NETWORK.num_observations)
    one, many = (cageflow.load_policy(path, seed=5) for _ in range(2))
    for _ in range(6):
        number = one.act(observation)
        assert type(number) is int
        assert [number] == many.act(observation[None]).tolist()


def test_seed_repeats_and_none_goes_on_by_chance(tmp_path: Path) -> None:
    policy = cageflow.load_policy(policy_file(tmp_path / "policy.safetensors"), seed=1)
    observation = np.zeros(NETWORK.num_observations)

    def episode() -> list[int]:
        return [policy.act(observation) for _ in range(12)]

    first = episode()
    policy.reset()
    second = episode()
    policy.reset(seed=1)
    again = episode()
    policy.reset()
    assert first == again != second == episode()


def test_reset_forgets_and_what_was_done_can_be_told(tmp_path: Path) -> None:
    network = NETWORK
    policy = cageflow.load_policy(policy_file(tmp_path / "policy.safetensors", memory=True), deterministic=True)
    quiet, busy = np.zeros(network.num_observations), np.zeros(network.num_observations)
    busy[:4] = 1
    first = policy.act(quiet)
    policy.act(busy, last_action=network.codec.encode("DecoyVsftpd User1"))
    told = policy.probabilities()
    policy.reset()
    assert policy.act(quiet) == first
    policy.act(busy)
    assert (policy.probabilities() != told).any()
    assert policy.probabilities().sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("observations", "words"),
    [
        ([np.zeros(51)], r"the observation has the shape \(51,\); on CAGE Challenge 2, Scenario2 expected \(52,\)"),
        ([np.zeros((2, 3, 52))], r"has the shape \(2, 3, 52\)"),
        ([np.full(52, 0.5)], "has other values than 0 and 1"),
        ([np.full(52, 2)], "has other values than 0 and 1"),
        ([["a"] * 52], "has other values than 0 and 1"),
        ([np.zeros(52), np.zeros((1, 52))], "came one at a time, and now 1: call reset where episodes begin"),
        ([np.zeros((2, 52)), np.zeros((3, 52))], "came 2 at a time, and now 3: call reset"),
    ],
)
def test_what_is_no_observation_of_the_game_is_refused(observations: list[Any], words: str) -> None:
    policy = cageflow.load_policy("sleep")
    with pytest.raises(cageflow.UserError, match=words):
        for observation in observations:
            policy.act(observation)


def test_who_cannot_answer_says_why() -> None:
    observation = np.zeros(52)
    with pytest.raises(cageflow.UserError, match="greedy looks at the true state of the network"):
        cageflow.load_policy("greedy").act(observation)
    with pytest.raises(cageflow.UserError, match="does not say how likely"):
        asked = cageflow.load_policy(lambda observation: 0)
        asked.act(observation)
        asked.probabilities()
    with pytest.raises(cageflow.UserError, match="call act before"):
        cageflow.load_policy("champion").probabilities()
    with pytest.raises(cageflow.UserError, match="plays one game at once, and was shown 2"):
        cageflow.load_policy(lambda observation: 0).act(np.zeros((2, 52)))
    with pytest.raises(cageflow.UserError, match="last_action has the shape"):
        told = cageflow.load_policy("sleep")
        told.act(observation)
        told.act(observation, last_action=[1, 2])
    with pytest.raises(cageflow.UserError, match="is no policy"):
        cageflow.load_policy("nobody")
    with pytest.raises(cageflow.UserError, match=r"17 is no policy: expected what `cageflow evaluate` takes"):
        cageflow.load_policy(17)


def test_game_is_the_one_that_the_policy_was_made_for(tmp_path: Path) -> None:
    plant = cageflow.load_network("plant")
    trained = policy_file(tmp_path / "run" / "policies" / "p.safetensors", network=plant, rules="challenge", green=True)
    policy = cageflow.load_policy(trained, network="plant")
    assert (policy.game.rules, policy.game.green, policy.network) == ("challenge", True, plant)
    assert policy.notes == ()
    assert policy.card is not None and policy.card.rules == "challenge"
    assert policy.action_names == plant.codec.names
    other = cageflow.load_policy(trained, network="plant", rules="v2.1", green=False)
    assert len(other.notes) == 2
    champion = cageflow.load_policy("champion", rules="challenge")
    assert champion.card is not None and champion.card.rules == "challenge"
    assert "champion" in repr(champion)
