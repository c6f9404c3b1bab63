"""The compiled network: CAGE-2's by hand, and changed ones that play accordingly."""

from importlib.resources import files

import numpy as np
import pytest

from cageflow.scenario import UNIT_TYPES, Network, RedAgent, default_network, load_scenario
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.state import make_params, new_states

SHIPPED = files("cageflow.scenario").joinpath("cage2.yaml").read_text(encoding="utf-8")


@pytest.fixture
def changed(tmp_path):
    """Makes the network of the shipped file with replacements, each of which must apply."""

    def build(*replacements):
        text = SHIPPED
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "network.yaml"
        path.write_text(text, encoding="utf-8")
        return Network(load_scenario(path))

    return build


def play(network, red=RedAgent.B_LINE, num_envs=200, num_steps=60, action="Sleep", rules="v2.1"):
    """Rewards (T, B) and the last observations (B, F) of free episodes under one blue action."""
    states, seen = new_states(network, num_envs), np.zeros((num_envs, network.num_observations), np.uint8)
    reset_batch(states, new_states(network, 1), np.arange(num_envs, dtype=np.uint64))
    rewards = np.zeros((num_steps, num_envs), np.float32)
    actions = np.full(num_envs, network.codec.encode(action))
    for row in rewards:
        step_batch(states, network.tables, make_params(red, rules, green=True), actions, seen, row)
    return rewards, seen


def test_names__are_those_of_cage2_in_order():
    network = default_network()
    assert network.hosts == (
        *("Defender", "Enterprise0", "Enterprise1", "Enterprise2"),
        *("Op_Host0", "Op_Host1", "Op_Host2", "Op_Server0"),
        *("User0", "User1", "User2", "User3", "User4"),
    )
    assert network.subnets == ("Enterprise", "Operational", "User")
    assert network.decoys == ("apache2", "femitter", "haraka", "smss", "sshd", "svchost", "tomcat", "vsftpd")
    assert network.exploits == (
        *("EternalBlue", "BlueKeep", "HTTPRFI", "HTTPSRFI", "SSHBruteForce"),
        *("SQLInjection", "HarakaRCE", "FTPDirectoryTraversal"),
    )
    assert network.num_observations == 52


def test_unit_types__are_five_and_every_host_has_one():
    assert UNIT_TYPES == ("defender", "enterprise", "op_server", "op_host", "user")
    assert default_network().host_unit_type.tolist() == [0, 1, 1, 1, 3, 3, 3, 2, 4, 4, 4, 4, 4]


def test_ports__have_a_bit_each_ascending():
    network = default_network()
    assert network.ports == (21, 22, 25, 53, 68, 80, 135, 139, 443, 445, 3389, 3390)
    assert network.port_mask([22, 22, 21]) == 0b11
    assert network.host_mask(["Defender", "User4"]) == 1 | 1 << 12


def test_exploits__are_ranked_by_weight():
    network = default_network()
    ranked = [network.exploits[i] for i in network.tables["exploits_by_weight"]]
    assert ranked == [
        *("FTPDirectoryTraversal", "HarakaRCE", "SQLInjection", "HTTPSRFI", "HTTPRFI", "EternalBlue", "BlueKeep"),
        "SSHBruteForce",
    ]


@pytest.mark.parametrize(
    ("exploit", "decoys"),
    [
        ("EternalBlue", {"smss"}),
        ("BlueKeep", {"svchost"}),
        ("HTTPRFI", {"apache2", "vsftpd"}),
        ("HTTPSRFI", {"tomcat"}),
        ("SSHBruteForce", {"sshd"}),
        ("SQLInjection", set()),
        ("HarakaRCE", {"haraka"}),
        ("FTPDirectoryTraversal", {"femitter"}),
    ],
)
def test_exploit__falls_for_the_decoys_on_its_port(exploit, decoys):
    network = default_network()
    mask = int(network.tables["exploit_traps"][network.exploits.index(exploit)])
    assert {name for i, name in enumerate(network.decoys) if mask >> i & 1} == decoys


def test_decoy_ports__are_those_that_they_open():
    network = default_network()
    ports = [80, 21, 25, 139, 22, 3389, 443, 80]
    assert network.tables["decoy_port"].tolist() == [network.port_mask([port]) for port in ports]


def test_decoys__keep_those_out_that_need_the_port_they_open():
    """Apache and vsftpd open port 80, which apache needs; vsftpd needs that of femitter."""
    apache, femitter, vsftpd = (1 << default_network().decoys.index(name) for name in ("apache2", "femitter", "vsftpd"))
    rivals = default_network().tables["decoy_rivals"].tolist()
    assert rivals == [apache | vsftpd, femitter, *(1 << i for i in range(2, 7)), femitter]


def test_tables__cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        default_network().tables["restore_cost"] = 0


def test_default_network__is_made_once():
    assert default_network() is default_network()


@pytest.mark.parametrize("red", list(RedAgent))
def test_other_names__play_the_same_game(changed, red):
    renamed = changed(("Op_Server0", "Vault"), ("User3", "Printer"), ("Operational", "Plant"), ("HarakaRCE", "Mail"))
    assert "Vault" in renamed.hosts
    for ours, theirs in zip(play(renamed, red), play(default_network(), red), strict=True):
        assert np.array_equal(ours, theirs)
    assert renamed.codec.names[144 - 5] == "Restore Vault"


@pytest.mark.slow  # another number of hosts is compiled anew
def test_one_host_fewer__compiles_and_plays(changed):
    without = SHIPPED[SHIPPED.index("  User4:\n") : SHIPPED.index("# Properties of a process that are lost")]
    network = changed((without, "\n"), (", User4,", ","), (", User4]", "]"))
    assert len(network.hosts) == 12
    assert len(network.codec) == 2 + 12 * 11
    assert network.num_observations == 48
    for red in (RedAgent.B_LINE, RedAgent.MEANDER):
        rewards, seen = play(network, red, num_steps=100)
        assert rewards[-1].mean() < -5  # red reaches the goal on it
        assert seen.shape[1] == 48


def test_confidentiality__moves_the_reward_of_whoever_red_holds(changed):
    rewards, _ = play(changed(("confidentiality: none", "confidentiality: medium")))
    before, _ = play(default_network())
    assert np.allclose(rewards, before - 1.0)


def test_restore_cost__is_what_a_restore_costs(changed):
    network = changed(("restore_cost: 1.0", "restore_cost: 2.5"))
    rewards, _ = play(network, RedAgent.SLEEP, num_steps=3, action="Restore Op_Host0")
    assert (rewards == -2.5).all()


def test_certain_detection__misses_nothing(changed):
    network = changed(("detection_probability: 0.95", "detection_probability: 1.0"))
    states, table = new_states(network, 300), np.zeros((300, network.num_observations), np.uint8)
    reset_batch(states, new_states(network, 1), np.arange(300, dtype=np.uint64))
    seen = set()
    actions, rewards = np.zeros(300, np.int64), np.zeros(300, np.float32)
    for _ in range(30):
        step_batch(states, network.tables, make_params(RedAgent.MEANDER), actions, table, rewards)
        seen |= set(states["detected"].tolist())
    assert seen == {-1, 1}


def test_guard__decides_when_red_gets_to_the_goal(changed):
    """Without a guard B-line needs no session next door; guarded by a host that withstands it never gets there."""
    shut, _ = play(changed(("guarded_by: [Enterprise0, Enterprise1, Enterprise2]", "guarded_by: [Defender]")))
    usual, _ = play(default_network())
    assert usual.min() <= -10
    assert shut.min() > -10


def test_lost_on_restore__matters_under_challenge_alone(changed):
    network = changed(("lost_on_restore: [old_haraka]", "lost_on_restore: [rfi, old_haraka]"))
    host, exploit = network.hosts.index("Enterprise1"), network.exploits.index("HTTPSRFI")
    effects = network.tables["effect"][:, exploit, host].tolist()
    assert effects == [2, 1]  # a user session first, withstands after
