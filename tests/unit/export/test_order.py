"""An order that is enforced, exported: the file itself leaves out the fixes that have to wait."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from cageflow.envs.options import GameOptions
from cageflow.export.check import RANDOM_OBSERVATIONS, check_agreement
from cageflow.export.model import build_model
from cageflow.learn.policy import Policy
from cageflow.scenario import load_network
from tests.helpers.agents import NETWORK, policy
from tests.helpers.onnx_files import shifted, spoiled

OPTIONS = GameOptions("meander", max_steps=30)
ORDER = "op_host,user,enterprise,defender,op_server"


def enforced(**card: object) -> Policy:
    return policy(**{"workflow": ORDER, "workflow_mode": "enforced", **card})


@pytest.mark.parametrize(
    "card", [{}, {"mask_actions": False}, {"memory": True}, {"memory": True, "mask_actions": False}], ids=str
)
@pytest.mark.parametrize("game", [{}, {"durations": "2,3,5,2", "green": True}], ids=str)
def test_exported_masks__are_those_that_keep_the_order(card: dict[str, bool], game: dict[str, object]) -> None:
    options = GameOptions("meander", max_steps=30, **game)  # type: ignore[arg-type]
    source = enforced(network=options.network, **card)
    model = build_model(source, options.network, green=options.green)
    remembers = source.card.mask_actions or source.card.memory or bool(game)
    assert [one.name for one in model.graph.input][1:] == (["last_action", "memory"] if remembers else [])
    agreement = check_agreement(model.SerializeToString(), source, options, episodes=8)
    assert agreement.num_masks == RANDOM_OBSERVATIONS + 8 * 30


@pytest.mark.parametrize("is_masked", [True, False])
def test_exported_masks__on_another_network_with_two_crews(tmp_path: Path, is_masked: bool) -> None:
    text = files("cageflow.scenario").joinpath("plant.yaml").read_text()
    path = tmp_path / "network.yaml"
    path.write_text(text.replace("\ncrews: 1", "\ncrews: 2"))
    network = load_network(path)
    source = policy(network=network)
    order = network.orders.unrank(77)
    code = network.orders.encode(order)
    first, *others = source.layers
    layers = [(np.concatenate([first[0], np.zeros((8, len(code)), np.float32)], axis=1), first[1]), *others]
    kept = {"workflow": ",".join(order), "workflow_mode": "enforced"}
    card = policy(network=network, mask_actions=is_masked).card
    made = Policy(type(card).from_json({**card.to_json(), **kept, "sizes": {}}), layers, code)
    options = GameOptions("meander", max_steps=30, scenario=str(path))
    check_agreement(build_model(made, network).SerializeToString(), made, options, episodes=8)


@pytest.mark.parametrize("name", ["haste", "haste_of_actions", "table_bits.2", "table_bits.3"])
@pytest.mark.parametrize("is_masked", [False, True])
def test_spoiled_constant__is_found(name: str, is_masked: bool) -> None:
    source = enforced(mask_actions=is_masked)
    model = spoiled(build_model(source, NETWORK), name, shifted)
    with pytest.raises(RuntimeError, match="the exported masks differ from the simulator's on random tables"):
        check_agreement(model.SerializeToString(), source, OPTIONS, episodes=2)


def test_file_that_waits_for_the_first_foothold__is_found() -> None:
    def wait_for_it(haste: np.ndarray) -> None:
        haste[NETWORK.hosts.index("User0")] = haste[NETWORK.hosts.index("User1")]

    source = enforced()
    model = spoiled(build_model(source, NETWORK), "haste", wait_for_it)
    with pytest.raises(RuntimeError, match="the exported masks differ"):
        check_agreement(model.SerializeToString(), source, OPTIONS, episodes=2)


@pytest.mark.parametrize("is_masked", [False, True])
def test_file_without_the_rule__is_found(is_masked: bool) -> None:
    source = enforced(mask_actions=is_masked)
    free = policy(workflow=ORDER, mask_actions=is_masked)
    with pytest.raises((RuntimeError, KeyError), match="mask"):
        check_agreement(build_model(free, NETWORK).SerializeToString(), source, OPTIONS, episodes=2)
