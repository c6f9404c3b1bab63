"""What blue can know to be in vain: one history at a time, and that it is told neither too much nor too little."""

import numpy as np
import pytest

from cageflow.scenario import RedAgent, load_network
from cageflow.sim import green
from cageflow.sim.handover import plain, row
from cageflow.sim.knowledge import is_of_use, mask_loop
from cageflow.sim.memory import new_memories, remember, see
from cageflow.sim.observation import observe
from tests.helpers.lab import Lab


class Player:
    """A lab in which blue remembers what it does and sees."""

    def __init__(self, observation="corrected", green=False, network=None):
        self.lab = Lab(RedAgent.SLEEP, observation=observation, green=green, network=network)
        self.memories = new_memories(self.lab.network, 1)

    def step(self, action="Sleep", red=("Sleep", None), green_scan=-1, **draws):
        """Blue acts, green scans a host, red acts, blue sees."""
        lab = self.lab
        lab.blue(action)
        lab.force(green_scan=green_scan)
        green.act(lab.s, lab.network.tables, lab.params)
        lab.red(*red, **draws)
        observe(lab.s, lab.params)
        see(self.memories[0], lab.s)
        remember(self.memories[0], lab.network.tables, lab.params, lab.network.codec.encode(action))
        return lab.bits()

    def is_of_use(self, action):
        return bool(is_of_use(self.memories[0], self.lab.network.tables, self.lab.network.codec.encode(action)))


def useful_decoys(player, host):
    names = player.lab.network.scenario.decoys
    return {name for name in names if player.is_of_use(f"{name} {host}")}


def test_first_step__knows_only_the_network():
    player = Player()
    assert player.is_of_use("Sleep") and not player.is_of_use("Monitor")
    for host in player.lab.network.hosts:
        assert not player.is_of_use(f"Analyse {host}")
        assert not player.is_of_use(f"Remove {host}")
        assert player.is_of_use(f"Restore {host}")
    # From the scenario: a Linux host with ports 22, 25, 80, 443, 3390, and a Windows one with 139, 135, 445, 3389.
    assert useful_decoys(player, "User4") == {"DecoyVsftpd"}
    assert useful_decoys(player, "User2") == {"DecoyApache", "DecoyFemitter", "DecoySSHD", "DecoyTomcat"}


def test_decoy__is_in_vain_once_planted_until_the_host_is_restored():
    player = Player()
    player.step("DecoyApache User2")
    assert not player.is_of_use("DecoyApache User2")
    assert player.is_of_use("DecoyApache User1")
    player.step("Remove User2")
    assert not player.is_of_use("DecoyApache User2")
    player.step("Restore User2")
    assert player.is_of_use("DecoyApache User2")


def test_vsftpd__takes_the_port_of_apache_and_can_be_planted_again():
    player = Player()
    player.step("DecoyVsftpd Op_Host0")
    assert player.is_of_use("DecoyVsftpd Op_Host0")
    assert not player.is_of_use("DecoyApache Op_Host0")


def test_shared_decoy_action__is_in_vain_once_as_many_are_planted_as_fit():
    player = Player(network=load_network("cage1"))
    for _ in range(3):
        assert player.is_of_use("Misinform User2")
        player.step("Misinform User2")
    assert not player.is_of_use("Misinform User2")
    player.step("Restore User2")
    assert player.is_of_use("Misinform User2")


def test_decoy_that_failed__is_not_remembered():
    player = Player()
    player.step("DecoyFemitter Op_Host0")  # not for Linux
    assert player.memories["decoys"].sum() == 0


def test_analyse__is_of_use_after_any_connection_until_the_host_is_restored():
    player = Player()
    assert player.step(red=("DiscoverNetworkServices", "User1")) == {"User1": "1000"}
    assert player.is_of_use("Analyse User1") and not player.is_of_use("Analyse User2")
    player.step("Analyse User1")
    player.step("Remove User1")
    assert player.is_of_use("Analyse User1")
    player.step("Restore User1")
    assert not player.is_of_use("Analyse User1")


def test_restore__is_before_what_red_does_in_the_same_step():
    player = Player()
    player.step(red=("DiscoverNetworkServices", "User1"))
    player.step("Restore User1", red=("ExploitRemoteService", "User1"), exploit="FTPDirectoryTraversal", detection=1)
    assert player.is_of_use("Analyse User1") and player.is_of_use("Remove User1")


def test_remove__is_of_use_while_the_table_says_user_or_privileged():
    player = Player()
    player.step(red=("DiscoverNetworkServices", "User1"))
    assert not player.is_of_use("Remove User1")
    seen = player.step(red=("ExploitRemoteService", "User1"), exploit="FTPDirectoryTraversal", detection=1)
    assert seen == {"User1": "1101"}
    assert player.is_of_use("Remove User1")
    player.step("Analyse User1")
    assert player.is_of_use("Remove User1")
    assert player.step("Remove User1") == {"User1": "0010"}
    assert not player.is_of_use("Remove User1")


def shell_behind_a_scan(player):
    """Red's shell on User3 and green's scan of it in one step: they look like a scan, but blue has seen the process."""
    player.step(red=("DiscoverNetworkServices", "User3"))
    shell = ("ExploitRemoteService", "User3")
    seen = player.step(red=shell, green_scan="User3", exploit="HTTPRFI", detection=1)
    assert seen == {"User3": "1000"}
    assert player.lab.sessions("User3") == (1, 0, 0)


def test_remove__is_of_use_after_a_scan_that_may_have_hidden_a_shell():
    player = Player(green=True)
    shell_behind_a_scan(player)
    assert player.is_of_use("Remove User3")
    player.step("Remove User3")
    assert player.lab.sessions("User3") == (0, 0, 0)
    assert not player.is_of_use("Remove User3")


def test_remove__needs_the_memory_of_the_scan():
    # The check can fail: what the rule says of the table alone would be wrong here.
    player = Player(green=True)
    shell_behind_a_scan(player)
    player.memories["hidden"] = 0
    assert not player.is_of_use("Remove User3")


def test_analyse__is_of_use_where_the_official_table_may_have_hidden_a_shell_behind_a_new_decoy():
    player = Player(observation="official")
    player.step(red=("DiscoverNetworkServices", "User3"))
    player.step("Restore User3")
    shell = ("ExploitRemoteService", "User3")
    assert player.step("DecoySSHD User3", red=shell, exploit="HTTPRFI", detection=0) == {}
    assert player.lab.hosts(player.lab.s.malware) == {"User3"}
    assert player.is_of_use("Analyse User3")


def test_corrected_table__does_not_take_a_new_decoy_for_a_connection():
    player = Player(observation="corrected")
    player.step("DecoySSHD User3")
    assert not player.is_of_use("Analyse User3")


@pytest.mark.parametrize("num_envs", [1, 3])
def test_mask_loop__says_of_every_action_what_the_rule_says(num_envs):
    lab = Lab()
    memories = new_memories(lab.network, num_envs)
    memories["belief_high"] = np.arange(num_envs) * 0b101001
    memories["traces"] = 0b1010101
    masks = np.empty((num_envs, len(lab.network.codec)), np.bool_)
    mask_loop(plain(memories), row(lab.network.tables), masks)
    for i in range(num_envs):
        expected = [bool(is_of_use(memories[i], lab.network.tables, a)) for a in range(masks.shape[1])]
        assert masks[i].tolist() == expected
