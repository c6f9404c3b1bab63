"""The action codec: CybORG's numbers, names and what they mean."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.scenario import ActionCodec, BlueKind, default_network

CODEC = default_network().codec
# Numbers noted from CybORG's EnumActionWrapper.
NOTED = {
    0: "Sleep",
    1: "Monitor",
    2: "Analyse Defender",
    14: "Analyse User4",
    15: "Remove Defender",
    16: "Remove Enterprise0",
    28: "DecoyApache Defender",
    41: "DecoyFemitter Defender",
    54: "DecoyHarakaSMPT Defender",
    67: "DecoySmss Defender",
    80: "DecoySSHD Defender",
    93: "DecoySvchost Defender",
    106: "DecoyTomcat Defender",
    119: "DecoyVsftpd Defender",
    132: "Restore Defender",
    133: "Restore Enterprise0",
    144: "Restore User4",
}


def test_codec__has_cage2s_145_actions():
    assert len(CODEC) == len(CODEC.names) == 145
    assert len(set(CODEC.names)) == 145


@pytest.mark.parametrize(("number", "name"), NOTED.items())
def test_names__stand_in_cyborgs_order(number, name):
    assert CODEC.names[number] == name
    assert CODEC.encode(name) == number


def test_encode__is_the_inverse_of_names():
    assert [CODEC.encode(name) for name in CODEC.names] == list(range(145))
    assert CODEC.encode("  Restore   User1 ") == CODEC.encode("Restore User1")


def test_kind_host_and_decoy__say_what_the_name_says():
    hosts = default_network().hosts
    decoys = list(default_network().scenario.decoys)
    for number, name in enumerate(CODEC.names):
        verb, _, host = name.partition(" ")
        assert CODEC.host[number] == (hosts.index(host) if host else -1)
        assert CODEC.decoy[number] == (decoys.index(verb) if verb in decoys else -1)
        assert BlueKind(CODEC.kind[number]).name == ("DECOY" if verb in decoys else verb.upper())
    assert np.bincount(CODEC.kind).tolist() == [1, 1, 13, 13, 104, 13]


@pytest.mark.parametrize("name", ["", "Restore", "Restore User9", "restore user1", "DecoyTomcat", "7"])
def test_encode__refuses_what_is_no_action(name):
    with pytest.raises(UserError, match="is no action; expected Sleep, Monitor, or one of"):
        CODEC.encode(name)


@pytest.mark.parametrize("number", [-1, 145, 1000])
def test_describe__refuses_what_is_out_of_range(number):
    with pytest.raises(UserError, match="expected a whole number from 0 to 144"):
        CODEC.describe(number)


def test_describe__is_one_sentence_that_names_the_host_and_the_decoy():
    for number, name in enumerate(CODEC.names):
        verb, _, host = name.partition(" ")
        sentence = CODEC.describe(number)
        assert sentence.endswith(".")
        assert host in sentence
        assert verb in sentence or CODEC.decoy[number] < 0


def test_describe__takes_no_name_apart():
    codec = ActionCodec.build(["User 1", "1"], ["Honey pot", "Decoy"])
    assert codec.describe(codec.encode("Honey pot User 1")) == "Plant Honey pot on User 1, where it fits."
    assert codec.describe(codec.encode("Decoy 1")) == "Plant Decoy on 1, where it fits."
    assert codec.describe(codec.encode("Restore User 1")).startswith("Reset User 1 to")
