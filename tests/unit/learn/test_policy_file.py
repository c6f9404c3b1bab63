import dataclasses
import json
import os
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import load, save

from cageflow.envs.agent import BlueSetting
from cageflow.errors import UserError
from cageflow.learn.policy import ANY_WORKFLOW, Policy, PolicyCard, made_for
from cageflow.learn.policy_file import load_policy, save_policy
from cageflow.scenario import default_network
from cageflow.scenario.durations import NAMED
from tests.helpers.agents import policy as a_policy
from tests.helpers.orders import ALL_ORDERS

SETTING = BlueSetting(default_network())
ORDER = np.eye(5, dtype=np.float32).reshape(-1)
CARD = PolicyCard(
    workflow="defender,enterprise,op_server,op_host,user",
    rules="v2.1",
    red_agent="B_lineAgent",
    observation="corrected",
    max_steps=100,
    preset="reference",
    activation="tanh",
    alignment={"lambda": 30.0},
    training_episodes=4000,
)


def make_policy(order=ORDER, seed=0, num_observations=52):
    rng = np.random.default_rng(seed)
    sizes = [num_observations + (0 if order is None else len(order)), 64, 64, 145]
    layers = [
        (rng.normal(size=(o, i)).astype(np.float32), rng.normal(size=o).astype(np.float32))
        for i, o in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    return Policy(CARD if order is not None else dataclasses.replace(CARD, workflow=None), layers, order)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "policy.safetensors"
    save_policy(file, make_policy())
    return file


def header_of(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["cageflow"])


def rewrite(path, *, header=None, change_header=None, change_tensors=None):
    """Change a policy file behind cageflow's back."""
    tensors = load(path.read_bytes())
    data = header_of(path)
    if change_header:
        change_header(data)
    if change_tensors:
        change_tensors(tensors)
    path.write_bytes(save(tensors, {"cageflow": json.dumps(data) if header is None else header}))


def refusal(path, setting=None, order=None):
    with pytest.raises(UserError) as error:
        load_policy(path, setting=setting, order=order)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("order", [ORDER, None])
def test_round_trip__keeps_everything_bit_for_bit(tmp_path, order):
    policy = make_policy(order)
    save_policy(tmp_path / "p.safetensors", policy)
    loaded = load_policy(tmp_path / "p.safetensors")
    assert loaded.card == policy.card
    for (weight, bias), (wanted_weight, wanted_bias) in zip(loaded.layers, policy.layers, strict=True):
        assert weight.tobytes() == wanted_weight.tobytes()
        assert bias.tobytes() == wanted_bias.tobytes()
    observations = np.random.default_rng(0).integers(0, 2, (50, 52))
    assert loaded.log_probs(observations).tobytes() == policy.log_probs(observations).tobytes()


def test_header__says_what_the_policy_is(path):
    header = header_of(path)
    assert header["format_version"] == 1
    assert header["policy"] == CARD.to_json()
    assert isinstance(header["cageflow_version"], str)


def test_load__asks_whether_the_policy_was_made_for_the_game(path):
    load_policy(path, setting=SETTING)
    official = BlueSetting(SETTING.network, observation="official")
    assert f"policy file {path} was trained on the corrected observation" in refusal(path, official)


def test_load__refuses_a_policy_of_another_network(path, tmp_path):
    small = tmp_path / "small.safetensors"
    save_policy(small, make_policy(num_observations=48))
    message = refusal(small, SETTING)
    assert f"{small} reads 48 bits and has 145 actions, but the game has 52 and 145" in message


def test_card_from_before_there_were_memories_and_networks__has_none():
    card = CARD.to_json()
    for name in ("memory", "network", "action_set", "sizes", "durations", "crews", "green"):
        del card[name]
    assert PolicyCard.from_json(card) == CARD and not CARD.memory


def test_card__keeps_what_it_was_made_for():
    network = default_network()
    card = dataclasses.replace(CARD, **made_for(network, memory=True, ordered=True))
    assert card.sizes == {"table": 52, "recalled": 217, "order": 25, "actions": 145}
    assert PolicyCard.from_json(json.loads(json.dumps(card.to_json()))) == card
    assert card.to_json()["network"]["fingerprint"] == network.fingerprint


def test_card__says_how_long_actions_took_and_refuses_what_is_no_such_thing():
    slow = default_network().with_durations(NAMED["blue-cage4"])
    card = dataclasses.replace(CARD, **made_for(slow, memory=False, ordered=True), green=True)
    written = json.loads(json.dumps(card.to_json()))
    assert PolicyCard.from_json(written) == card
    assert (card.durations["restore"], card.durations["impact"], card.crews, card.green) == (5, 1, 1, True)
    for change in ({"durations": {"restore": 0}}, {"durations": {"reboot": 1}}, {"crews": "two"}, {"green": 1}):
        with pytest.raises(UserError, match=f"^'{next(iter(change))}' is "):
            PolicyCard.from_json({**written, **change})


@pytest.fixture
def universal(tmp_path):
    file = tmp_path / "universal.safetensors"
    card = dataclasses.replace(CARD, workflow=ANY_WORKFLOW)
    save_policy(file, Policy(card, make_policy().layers))
    return file


def test_load__of_a_universal_policy_gives_it_or_what_it_is_for_an_order(universal):
    policy = load_policy(universal)
    assert (policy.is_universal, policy.num_observations, policy.order_encoding) == (True, 77, None)
    follower = load_policy(universal, setting=SETTING, order=ALL_ORDERS[0])
    observations = np.random.default_rng(0).integers(0, 2, (50, 52))
    assert follower.log_probs(observations).tobytes() == make_policy().log_probs(observations).tobytes()
    assert follower.card == CARD


def test_load__asks_for_the_order_of_a_universal_policy_that_is_to_play(universal):
    message = refusal(universal, SETTING)
    assert "is universal: say by --workflow which order it is to follow" in message


def test_load__refuses_an_order_that_the_policy_was_not_trained_for(path, tmp_path):
    load_policy(path, order=ALL_ORDERS[0])
    assert f"it follows {CARD.workflow}, but" in refusal(path, order=ALL_ORDERS[1])
    plain = tmp_path / "plain.safetensors"
    save_policy(plain, make_policy(None))
    assert "it follows no workflow, but" in refusal(plain, order=ALL_ORDERS[1])


def test_load__refuses_a_truncated_file_at_any_length(path):
    whole = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 200, 1000, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert "is no policy file or is truncated" in refusal(path)


def test_load__refuses_foreign_files_and_runs_nothing_in_them(path, tmp_path):
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(ran),))

    for content in (b"hello", b"\0" * 4096, json.dumps(CARD.to_json()).encode(), pickle.dumps(Bomb())):
        path.write_bytes(content)
        assert "is no policy file or is truncated" in refusal(path)
    assert not ran.exists()
    assert "there is no policy file" in refusal(tmp_path / "absent.safetensors")
    assert "there is no policy file" in refusal(tmp_path)


def test_load__refuses_safetensors_of_others(path):
    path.write_bytes(save({"w": np.zeros(3, np.float32)}))
    assert "not a policy written by cageflow" in refusal(path)
    path.write_bytes(save({"w": np.zeros(3, np.float32)}, {"format": "pt"}))
    assert "not a policy written by cageflow" in refusal(path)


@pytest.mark.parametrize("header", ["", "no json", "[]", "3", '{"format_version": 1}', '{"policy": {}}'])
def test_load__refuses_headers_that_cageflow_does_not_write(path, header):
    rewrite(path, header=header)
    assert "its header is not one that cageflow writes" in refusal(path)


def test_load__refuses_another_format_version_and_says_which(path):
    rewrite(path, change_header=lambda header: header.update(format_version=2))
    assert "has format version 2; this cageflow reads 1" in refusal(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header["policy"].pop("rules"), "is inconsistent: 'rules' is missing"),
        (lambda header: header["policy"].update(extra=1), "is inconsistent: 'extra' is unknown"),
        (lambda header: header["policy"].update(max_steps="many"), "is inconsistent: 'max_steps' is 'many'"),
        (lambda header: header["policy"].update(activation="exec"), "is inconsistent: 'activation' is 'exec'"),
        (lambda header: header["policy"].update(workflow=None), "has the code of a workflow without its name"),
        (lambda header: header["policy"].update(network={"name": "X"}), "'network.fingerprint' is None"),
        (lambda header: header["policy"].update(sizes={"table": 1.5}), "'sizes' is {'table': 1.5}"),
        (lambda header: header["policy"].update(action_set=3), "'action_set' is 3"),
        (
            lambda header: header["policy"].update(sizes={"table": 52, "recalled": 217, "order": 25, "actions": 145}),
            "it has 77 inputs and 145 actions, but its card says 294 and 145",
        ),
        (
            lambda header: header["policy"].update(workflow="user,enterprise,op_server,op_host,defender"),
            "the code of its order is not that of user,enterprise,op_server,op_host,defender",
        ),
        (lambda header: header["policy"].update(workflow="user,user"), "user"),
        (lambda header: header["policy"].update(workflow="any"), "has the code of a workflow without its name"),
    ],
)
def test_load__refuses_cards_that_make_no_sense(path, change, message):
    rewrite(path, change_header=change)
    assert message in refusal(path)


def spoil(tensors):
    weight = tensors["actor.1.weight"].copy()
    weight[3, 4] = np.nan
    tensors["actor.1.weight"] = weight


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil, "is damaged: actor.1.weight is not made of finite float32 numbers"),
        (lambda t: t.update({"actor.0.bias": t["actor.0.bias"].astype(np.float64)}), "is damaged: actor.0.bias"),
        (lambda t: t.pop("actor.1.bias"), "tensor actor.1.bias is missing"),
        (lambda t: t.pop("actor.1.weight"), "tensor actor.1.weight is missing"),
        (lambda t: t.update(surprise=np.zeros(2, np.float32)), "tensor surprise is unknown"),
        (lambda t: t.update({"actor.0.bias": t["actor.0.bias"][None]}), "actor.0.bias has 2 dimensions, expected 1"),
        (lambda t: t.update({"actor.1.weight": t["actor.1.weight"][:, 1:].copy()}), "expected layer 1 with 64 inputs"),
        (lambda t: t.pop("order_encoding"), "names a workflow without its code"),
        (lambda t: [t.pop(name) for name in list(t) if name.startswith("actor")], "expected at least one layer"),
    ],
)
def test_load__refuses_tensors_that_make_no_network(path, change, message):
    rewrite(path, change_tensors=change)
    assert message in refusal(path)


def test_save__that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    before = path.read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_policy(path, make_policy(seed=1))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_save__replaces_an_older_file(path):
    save_policy(path, make_policy(seed=1))
    assert load_policy(path).layers[0][0].tobytes() == make_policy(seed=1).layers[0][0].tobytes()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("activation", "last", "refused"), [("tanh", 3e38, True), ("relu", 1e36, True), ("tanh", 1e36, False)]
)
def test_load__refuses_weights_whose_sums_are_no_numbers(tmp_path, activation, last, refused):
    made = a_policy(activation=activation, mask_actions=False)
    (first, bias), (second, other) = made.layers
    second = np.full_like(second, last)
    save_policy(tmp_path / "large.safetensors", Policy(made.card, [(first, bias), (second, other)], None))
    if not refused:
        load_policy(tmp_path / "large.safetensors")
        return
    with pytest.raises(UserError, match="the weights of layer 1 are so large that its sums overflow float32"):
        load_policy(tmp_path / "large.safetensors")
