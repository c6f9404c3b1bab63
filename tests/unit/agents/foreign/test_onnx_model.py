"""Exported policies: play what their policy plays, with masks and memory, each episode from its own seed."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save_model

from cageflow.agents.foreign.onnx_card import read_onnx
from cageflow.agents.foreign.onnx_model import OnnxPlayer
from cageflow.agents.foreign.wire import Shown
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.collect import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from cageflow.export.export import export
from cageflow.learn.policy_file import load_policy
from tests.helpers.agents import NETWORK, SETTING, policy_file

SEEDS = np.arange(60, dtype=np.uint64)
REQUEST = {"actions": list(NETWORK.codec.names), "deterministic": False}
ORDER = "user,enterprise,defender,op_server,op_host"


def exported(folder: Path, **card: object) -> tuple[Path, Path]:
    policy = policy_file(folder / "policy.safetensors", **card)
    export(policy, out=folder / "policy.onnx", episodes=2)
    return policy, folder / "policy.onnx"


def returns(agent: object) -> np.ndarray:
    games = make_games(GameSpec(GameOptions("bline", max_steps=30), masked=True))
    return play_episodes(agent, games, SEEDS).returns  # type: ignore[arg-type]


def test_exported_policy__plays_what_its_policy_plays(tmp_path: Path) -> None:
    policy, model = exported(tmp_path, memory=True, mask_actions=True, workflow=ORDER)
    source = find_agent(str(model), SourceOptions(deterministic=True))
    assert source.workflow is not None and source.observation == "corrected" and source.actions == "deterministic"
    own = PolicyAgent(load_policy(policy), deterministic=True)
    assert np.array_equal(returns(source.load(SETTING)), returns(own))
    drawn = returns(find_agent(str(model), SourceOptions()).load(SETTING))
    drawn_by_own = returns(PolicyAgent(load_policy(policy)))
    assert not np.array_equal(drawn, returns(own))
    assert abs(drawn.mean() - drawn_by_own.mean()) < 5 * np.hypot(drawn.std(), drawn_by_own.std()) / len(SEEDS) ** 0.5


def test_draws__are_those_of_the_probabilities_and_of_each_seed_alone(tmp_path: Path) -> None:
    _, model = exported(tmp_path, mask_actions=False)
    player = OnnxPlayer(model, REQUEST)
    bits, masks = np.zeros((4000, 52), np.uint8), np.zeros((4000, 0), np.uint8)
    seeds = np.random.default_rng(0).integers(0, 2**63, 4000).astype(np.uint64)
    player.reset(seeds)
    actions = player.act(Shown(5, bits, np.full(4000, -1), masks))
    probs = player._session.run(["probs"], {"observation": bits[:1].astype(np.float32)})[0][0]
    counts = np.bincount(actions, minlength=145)
    wide = probs * 4000 > 20
    assert wide.sum() >= 3
    assert (np.abs(counts - probs * 4000)[wide] < 5 * np.sqrt(probs * 4000)[wide]).all()
    player.reset(seeds[:7])
    assert np.array_equal(player.act(Shown(5, bits[:7], np.full(7, -1), masks[:7])), actions[:7])
    assert not np.array_equal(player.act(Shown(6, bits[:7], np.full(7, -1), masks[:7])), actions[:7])


def test_what_is_no_export__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    save_model(helper.make_model(graph), path)
    for content in (path.read_bytes(), b"", b"\xff" * 50, b"\x72\x05ab", bytes(range(256)) * 9):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"model\.onnx is no policy exported by cageflow"):
            find_agent(str(path), SourceOptions())


def test_damaged_export__is_refused_at_every_length(tmp_path: Path) -> None:
    _, model = exported(tmp_path)
    content, entries, actions = read_onnx(model)
    assert actions == NETWORK.codec.names and entries["workflow"] == "none"
    for end in range(0, len(content), 1 + len(content) // 200):
        model.write_bytes(content[:end])
        try:
            OnnxPlayer(model, REQUEST)
        except UserError:
            continue
        assert end > len(content) - 100  # nothing but the tail of the metadata is missing


def test_export_of_another_network__is_refused(tmp_path: Path) -> None:
    _, model = exported(tmp_path)
    with pytest.raises(UserError, match="exported for a network with other actions, 145 where the game has 144"):
        OnnxPlayer(model, {**REQUEST, "actions": REQUEST["actions"][:144]})
    other = tmp_path / "other.yaml"
    text = files("cageflow.scenario").joinpath("cage2.yaml").read_text()
    other.write_text(text.replace("Defender", "Watcher"))
    source = find_agent(str(model), SourceOptions())
    with pytest.raises(UserError, match=r"was made for the network 'CAGE.*leave --scenario out"):
        source.load(BlueSetting(GameOptions(scenario=str(other)).network))
