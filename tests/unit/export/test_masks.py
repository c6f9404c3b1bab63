"""The masks inside an exported model are those of the simulator, whatever blue does."""

import numpy as np
import pytest

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.export import model as model_module
from cageflow.export.check import ModelRunner
from cageflow.export.masks import mask_tables
from cageflow.export.model import build_model
from cageflow.scenario import BlueKind, default_network, load_network
from tests.helpers.agents import policy

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
    ("table", "kind", "verb"),
    [("clears", BlueKind.RESTORE, "Decoy"), ("plants", BlueKind.DECOY, "Decoy"), ("shows", None, "Analyse")],
)
def test_spoiled_table__is_found(monkeypatch, table, kind, verb):
    def spoiled(*args, **kwargs):
        tables = mask_tables(*args, **kwargs)
        getattr(tables, table)[... if kind is None else NETWORK.codec.kind == kind] = 0.0
        return tables

    monkeypatch.setattr(model_module, "mask_tables", spoiled)
    found = first_difference(GameOptions("meander"), build_model(policy(), NETWORK).SerializeToString())
    assert found is not None
    assert all(name.startswith(verb) or kind == BlueKind.RESTORE for name in found[1])


def test_masks_for_the_wrong_game__are_found():
    asleep = build_model(policy(), NETWORK, green=False).SerializeToString()
    step, names = first_difference(GameOptions("meander", green=True), asleep)
    assert step > 0
    assert all(name.startswith("Remove") for name in names)


def test_decoys_that_share_an_action__are_refused():
    with pytest.raises(UserError, match="CAGE Challenge 1, Scenario1b has decoys that share an action"):
        mask_tables(load_network("cage1"), official=False, green=False)


def test_tables__say_what_a_restore_and_a_decoy_do():
    tables = mask_tables(NETWORK, official=False, green=False)
    codec = NETWORK.codec
    assert tables.memory_size == 13 + 13 * 8
    assert tables.clears[codec.encode("Restore User1")].sum() == 1 + 8
    assert tables.clears[codec.encode("Remove User1")].sum() == 0
    assert tables.plants[codec.encode("DecoyApache User2")].sum() == 1
    assert tables.useful_always[codec.encode("Monitor")] == 0
    official = mask_tables(NETWORK, official=True, green=True)
    assert official.memory_size == 13 + 13 * 8 + 13
    assert official.plants[codec.encode("DecoyApache User2")].sum() == 2
    assert official.clears[codec.encode("Remove User1")].sum() == 1
