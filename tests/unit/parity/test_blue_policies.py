from types import SimpleNamespace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.parity.blue_policies import LAZY_STEPS, POLICIES, find_policy, flagged_hosts
from cageflow.scenario import default_network

CODEC = default_network().codec
HOSTS = default_network().hosts
ENV = SimpleNamespace(network=default_network())


def observation(**bits: list[int]) -> np.ndarray:
    """Blue's vector with these four bits at these hosts and 0 elsewhere."""
    rows = np.zeros((len(HOSTS), 4), np.uint8)
    for host, row in bits.items():
        rows[HOSTS.index(host)] = row
    return rows.reshape(-1)


def act(policy: str, seen: np.ndarray, step: int = 0, seed: int = 0) -> str:
    return CODEC.names[find_policy(policy)(ENV, seen, step, np.random.default_rng(seed))]


def acts(policy: str, seen: np.ndarray, step: int = 0) -> set[str]:
    return {act(policy, seen, step, seed) for seed in range(400)}


def test_flagged_hosts__activity_alone_flags_nothing():
    seen = observation(Defender=[1, 1, 0, 0], Op_Host1=[0, 0, 1, 0], User4=[0, 0, 0, 1])
    assert [HOSTS[host] for host in flagged_hosts(seen)] == ["Op_Host1", "User4"]


@pytest.mark.parametrize(("policy", "verb"), [("restore", "Restore"), ("remove", "Remove")])
def test_restore_and_remove__clean_the_first_flagged_host_else_monitor(policy, verb):
    seen = observation(Defender=[1, 1, 0, 0], Enterprise1=[0, 0, 1, 1], User4=[0, 0, 0, 1])
    assert act(policy, seen) == f"{verb} Enterprise1"
    assert act(policy, observation()) == "Monitor"


def test_sleep__sleeps_whatever_is_seen():
    assert acts("sleep", observation(User1=[1, 1, 1, 1])) == {"Sleep"}


def test_random__reaches_most_of_all_actions():
    assert len(acts("random", observation())) > 125


def test_lazy__sleeps_first_and_then_cleans_and_looks():
    assert acts("lazy", observation(), LAZY_STEPS - 1) == {"Sleep"}
    assert {name.split()[0] for name in acts("lazy", observation(), LAZY_STEPS)} == {"Analyse", "Remove", "Restore"}


def test_decoyer__plants_decoys_most_of_the_time():
    names = [act("decoyer", observation(), seed=seed) for seed in range(400)]
    num_decoys = sum(name.startswith("Decoy") for name in names)
    assert 270 < num_decoys < 370  # 2/3 + 1/3 * 104/145 of 400 is 362 less 4 standard deviations, and at least 2/3


def test_focused__acts_on_flagged_hosts():
    seen = observation(User2=[0, 0, 0, 1])
    names = [act("focused", seen, seed=seed) for seed in range(400)]
    assert 280 < sum(name.endswith("User2") for name in names) < 360
    assert {name.split()[0] for name in acts("focused", observation())}.isdisjoint({"Remove", "Restore", "Sleep"})


def test_find_policy__an_unknown_name_is_refused_with_the_possible_ones():
    with pytest.raises(UserError, match=r"'cleverest' is no policy to record with; possible are random, sleep"):
        find_policy("cleverest")
    assert set(POLICIES) == {"random", "sleep", "restore", "remove", "decoyer", "focused", "lazy"}
