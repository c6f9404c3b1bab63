"""Red's action codec: the order of its numbers, its names and what they mean."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.scenario import RedKind, default_network

NETWORK = default_network()
CODEC = NETWORK.red_codec
NOTED = {
    0: "Sleep",
    1: "sweep Enterprise",
    3: "sweep User",
    4: "scan Defender",
    16: "scan User4",
    17: "exploit Defender",
    30: "escalate Defender",
    43: "impact Defender",
    50: "impact Op_Server0",
    55: "impact User4",
}


def test_codec__has_one_action_and_one_for_each_subnet_and_four_for_each_host():
    assert len(CODEC) == len(CODEC.names) == len(CODEC.kinds) == len(CODEC.targets) == 1 + 3 + 4 * 13
    assert len(set(CODEC.names)) == 56
    assert (CODEC.kinds.dtype, CODEC.targets.dtype) == (np.int8, np.int8)


@pytest.mark.parametrize(("number", "name"), NOTED.items())
def test_names__stand_in_order_and_lead_back(number, name):
    assert CODEC.names[number] == name
    assert CODEC.encode(name) == CODEC.encode(f" {name.replace(' ', '  ')} ") == number


def test_describe__is_one_sentence_that_names_the_place():
    sentences = [CODEC.describe(number) for number in range(len(CODEC))]
    assert len(set(sentences)) == len(CODEC)
    for name, sentence in zip(CODEC.names, sentences, strict=True):
        assert sentence.endswith(".") and sentence.count(".") == 1
        assert name == "Sleep" or name.partition(" ")[2] in sentence


def test_kinds_and_targets__say_what_the_names_say():
    for name, kind, target in zip(CODEC.names[1:], CODEC.kinds[1:], CODEC.targets[1:], strict=True):
        places = NETWORK.subnets if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else NETWORK.hosts
        assert name.split(" ", 1)[1] == places[target]
    assert (CODEC.kinds[0], CODEC.targets[0]) == (RedKind.SLEEP, -1)
    assert np.all(np.diff(CODEC.kinds) >= 0)


def test_number_of__is_the_action_of_a_kind_and_a_target():
    for number, (kind, target) in enumerate(zip(CODEC.kinds, CODEC.targets, strict=True)):
        assert CODEC.number_of(kind, target) == number
    assert CODEC.number_of(RedKind.SLEEP, 7) == 0
    with pytest.raises(ValueError, match="no action of red"):
        CODEC.number_of(RedKind.IMPACT, 13)


@pytest.mark.parametrize("name", ["", "Restore User1", "scan", "sweep User1", "scan User"])
def test_other_names__are_refused_in_a_sentence(name):
    with pytest.raises(UserError, match="no action of red; expected Sleep"):
        CODEC.encode(name)
