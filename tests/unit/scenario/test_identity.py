"""A fingerprint is that of the content: the same for any text of it, another for any change."""

from pathlib import Path

import pytest
import yaml

from cageflow.errors import UserError
from cageflow.scenario import Network, NetworkIdentity, default_network, is_cage2, load_scenario
from cageflow.scenario.durations import NAMED

CAGE2 = default_network()
FINGERPRINT = "7cf30d39ceaba4c79ceb0e89cd9fc2c3d28c6692689a3181491d522858871fce"
"""Of CAGE-2. Where its file or the normal form changes, every policy that was trained before is refused: the champions
inside the package are stamped anew by `tools/stamp_champions.py`, and CHANGELOG says so under Behaviour."""


def network_of(path: Path, content: object, **style) -> Network:
    path.write_text(yaml.safe_dump(content, **{"sort_keys": False, **style}))
    return Network(load_scenario(path))


@pytest.fixture
def content():
    return CAGE2.scenario.model_dump(mode="json")


def test_cage2__has_the_fingerprint_that_trained_policies_name() -> None:
    assert CAGE2.fingerprint == FINGERPRINT


def test_text__does_not_count(tmp_path: Path, content) -> None:
    assert network_of(tmp_path / "block.yaml", content).fingerprint == CAGE2.fingerprint
    assert network_of(tmp_path / "flow.yaml", content, default_flow_style=True).fingerprint == CAGE2.fingerprint
    assert content["hosts"]["User1"].pop("availability") is None  # as it is without
    content["hosts"]["User1"] = dict(reversed(content["hosts"]["User1"].items()))
    content["values"]["high"] = 10  # not 10.0
    assert network_of(tmp_path / "less.yaml", dict(reversed(content.items()))).fingerprint == CAGE2.fingerprint


def _swap_hosts(data) -> None:
    names = list(data["hosts"])
    names[3], names[4] = names[4], names[3]
    data["hosts"] = {name: data["hosts"][name] for name in names}


CHANGES = {
    "the network's name": lambda data: data.update(name="Another"),
    "a value": lambda data: data["values"].update(low=0.2),
    "a host's worth": lambda data: data["hosts"]["User1"].update(confidentiality="medium"),
    "a host's type": lambda data: data["hosts"]["Enterprise0"].update(unit_type="user"),
    "the order of hosts": _swap_hosts,
    "the order in a list": lambda data: data["green_hosts"].reverse(),
    "a port": lambda data: data["hosts"]["User1"]["processes"][0]["ports"].append(4711),
    "a probability": lambda data: data.update(detection_probability=0.951),
    "an exploit's weight": lambda data: next(iter(data["exploits"].values())).update(weight=0.123),
    "a decoy's name": lambda data: data.update(
        decoys={("DecoyX" if i == 0 else name): decoy for i, (name, decoy) in enumerate(data["decoys"].items())}
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_change__gives_another(what: str, tmp_path: Path, content) -> None:
    CHANGES[what](content)
    changed = network_of(tmp_path / "changed.yaml", content)
    assert changed.fingerprint != CAGE2.fingerprint
    assert not is_cage2(changed.identity)


def test_renamed_host__gives_another(tmp_path: Path, content) -> None:
    text = yaml.safe_dump(content, sort_keys=False).replace("User3", "Laptop")
    changed = network_of(tmp_path / "changed.yaml", yaml.safe_load(text))
    assert changed.fingerprint != CAGE2.fingerprint
    assert changed.action_set != CAGE2.action_set
    assert "other hosts, 'Laptop' in place of 'User3'" in CAGE2.identity.difference(changed.identity)


def test_identity__survives_json_and_says_what_differs(tmp_path: Path, content) -> None:
    identity = CAGE2.identity
    assert NetworkIdentity.from_json({**identity.to_json(), "later": 1}) == identity
    assert identity.hosts == CAGE2.hosts and identity.unit_types[0] == "defender"
    content["values"]["low"] = 0.2
    assert identity.difference(network_of(tmp_path / "n.yaml", content).identity) == "the same hosts and other content"


def test_networks_that_differ_in_time_alone__are_told_from_others(tmp_path: Path, content) -> None:
    slow = CAGE2.with_durations(NAMED["cage4"]).identity
    crews = Network(CAGE2.scenario.model_copy(update={"crews": 3})).identity
    content["hosts"]["User1"]["durations"] = {"restore": 4}
    own = network_of(tmp_path / "host.yaml", content).identity
    assert len({one.fingerprint for one in (CAGE2.identity, slow, crews, own)}) == 4
    assert {one.timeless for one in (CAGE2.identity, slow, crews, own)} == {CAGE2.fingerprint}
    content["values"]["low"] = 0.2
    other = network_of(tmp_path / "n.yaml", content).identity
    assert slow.is_same_but_for_time(crews) and not slow.is_same_but_for_time(other)
    old = {name: value for name, value in slow.to_json().items() if name != "timeless"}
    assert NetworkIdentity.from_json(old).is_same_but_for_time(slow), "as files say it that are older"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 3}, "'network.name' is 3"),
        ({"fingerprint": "abc"}, "64 hexadecimal digits"),
        ({"timeless": "abc"}, "'network.timeless' is 'abc'"),
        ({"fingerprint": None}, "'network.fingerprint' is None"),
        ({"hosts": "User0"}, "'network.hosts' is 'User0'"),
        ({"unit_types": [1]}, r"'network.unit_types' is \[1\]"),
    ],
)
def test_damaged_record__is_refused(change, words: str) -> None:
    with pytest.raises(UserError, match=words):
        NetworkIdentity.from_json({**CAGE2.identity.to_json(), **change})
    with pytest.raises(UserError, match="'network' is 7"):
        NetworkIdentity.from_json(7)
