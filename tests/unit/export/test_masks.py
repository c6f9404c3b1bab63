"""The masks inside an exported model are those of the simulator, whatever blue does."""

import numpy as np
import onnxruntime
import pytest

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.export.check import ModelRunner
from cageflow.export.masks import knowledge_size
from cageflow.export.model import build_model
from cageflow.export.recall import recall_size
from cageflow.scenario import Network, default_network
from tests.helpers.agents import policy
from tests.helpers.onnx_files import spoiled

NETWORK = default_network()
NUM_GAMES, NUM_STEPS = 64, 100


def first_difference(options, model, seed=0):
    """Play at random, decoys and restores often: the first step whose masks differ, and the actions; None if none."""
    rng = np.random.default_rng(seed)
    games = GameBatch(options, NUM_GAMES)
    games.begin(np.arange(NUM_GAMES, dtype=np.uint64))
    runner = ModelRunner(model, NUM_GAMES)
    observations, rewards = np.zeros((NUM_GAMES, 52), np.uint8), np.zeros(NUM_GAMES)
    busy = np.flatnonzero(np.isin(NETWORK.codec.host, [1, 3, 7, 10, 11]))
    allowed = 0
    for step in range(NUM_STEPS):
        ours, theirs = games.memory.masks(), runner(observations)["mask"]
        if not np.array_equal(ours, theirs):
            return step, sorted({NETWORK.codec.names[action] for action in np.argwhere(ours != theirs)[:, 1]})
        allowed += ours.sum()
        actions = np.where(rng.random(NUM_GAMES) < 0.5, rng.choice(busy, NUM_GAMES), rng.integers(145, size=NUM_GAMES))
        runner.take(actions)
        games.play(actions, observations, rewards)
    assert 0.2 < allowed / (NUM_GAMES * NUM_STEPS * 145) < 0.9
    return None


@pytest.mark.parametrize(
    "settings",
    [
        {"red_agent": "bline"},
        {"red_agent": "meander", "observation": "official"},
        {"red_agent": "meander", "green": True, "rules": "challenge"},
        {"red_agent": "bline", "green": True, "observation": "official"},
    ],
    ids=str,
)
def test_masks__are_the_simulator_s_over_whole_episodes(settings):
    options = GameOptions(**settings)
    model = build_model(policy(observation=options.observation), NETWORK, green=options.green)
    assert first_difference(options, model.SerializeToString()) is None


@pytest.mark.parametrize(
    ("name", "spoil", "verbs"),
    [
        ("restores", 0.0, ("Decoy", "Analyse")),
        ("decoy_sets", 0.0, ("Decoy",)),
        ("decoy_rivals", 0.0, ("Decoy",)),
        ("decoy_fits", 1.0, ("Decoy",)),
        ("useful_at_times", 0.0, ("Decoy", "Analyse", "Remove")),
        ("table_bits.0", 0, ("Analyse",)),
        ("table_bits.3", 3, ("Remove",)),
    ],
)
def test_spoiled_constant__is_found(name, spoil, verbs):
    model = spoiled(build_model(policy(), NETWORK), name, lambda array: np.full_like(array, spoil))
    found = first_difference(GameOptions("meander"), model.SerializeToString())
    assert found is not None
    assert all(name.startswith(verbs) for name in found[1])


def test_masks_for_the_wrong_game__are_found():
    asleep = build_model(policy(), NETWORK, green=False).SerializeToString()
    step, names = first_difference(GameOptions("meander", green=True), asleep)
    assert step > 0
    assert all(name.startswith("Remove") for name in names)


def test_network_without_decoys__has_masks_too():
    bare = default_network().scenario.model_copy(update={"decoys": {}})
    network = Network(bare)
    model = build_model(policy(network=network, memory=True), network)
    memory = np.zeros((1, knowledge_size(network, green=False) + recall_size(network)), np.float32)
    feeds = {"observation": np.zeros((1, 52), np.float32), "last_action": np.array([-1]), "memory": memory}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    mask = dict(zip([one.name for one in session.get_outputs()], session.run(None, feeds), strict=True))["mask"][0]
    useful = [name for name, bit in zip(network.codec.names, mask, strict=True) if bit]
    assert useful == ["Sleep", *(f"Restore {host}" for host in network.hosts)]
