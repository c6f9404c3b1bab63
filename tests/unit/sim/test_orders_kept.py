"""An enforced order: which hosts look compromised and which fixes have to wait, held against plain sentences."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from cageflow.envs.game import GameBatch
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind, Network
from cageflow.scenario.orders import Order
from cageflow.sim.recall import CREW_KINDS, recalled_crews
from tests.helpers.play import num_games

NETWORKS = ["cage1", "cage2", "plant", "clinic"]


def looking_compromised(network: Network, bits: np.ndarray, restoring: np.ndarray) -> set[str]:
    """The hosts that blue's table (F,) gives as anything but clean, but for those where red began or which it restores.

    Args:
        network: that is played.
        bits: what blue sees.
        restoring: (H,) bool, where a Restore is under way.
    """
    red = network.scenario.red
    began = {red.start, *(foothold.host for foothold in red.footholds)}
    return {
        host
        for place, host in enumerate(network.hosts)
        if bits[4 * place + 2 : 4 * place + 4].any() and host not in began and not restoring[place]
    }


def has_to_wait(network: Network, order: Order, compromised: set[str], action: str) -> bool:
    """The rule in words, of an action by its name."""
    verb, _, host = action.partition(" ")
    if verb not in ("Remove", "Restore"):
        return False
    hosts = network.scenario.hosts
    before = order[: order.index(hosts[host].unit_type)]
    return any(hosts[other].unit_type in before for other in compromised)


def departures(name: str, seed: int = 0, num_steps: int = 60) -> list[str]:
    """Where the compiled rule differs from the words, over random play that fixes and analyses a lot."""
    options = GameOptions(red_agent="meander", scenario=name, green=seed % 2 == 1)
    network, num_envs = options.network, num_games(12)
    rng = np.random.default_rng(seed)
    order = network.orders.unrank(int(rng.integers(len(network.orders))))
    kinds = np.asarray(network.codec.kind)
    liked = np.isin(kinds, [BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.RESTORE])
    weights = np.where(liked, 4.0, 1.0)
    games = GameBatch(options, num_envs)
    observations, rewards = np.zeros((num_envs, network.num_observations), np.uint8), np.zeros(num_envs)
    games.begin(np.arange(num_envs, dtype=np.uint64), observations)
    found, num_waiting, num_served = [], 0, 0
    for step in range(num_steps):
        masks = np.ones((num_envs, len(network.codec)), np.bool_)
        games.memory.keep_order(order, masks)
        looks = games.memory.looks_compromised()
        restoring = np.zeros((num_envs, len(network.hosts)), np.bool_)
        if network.blue_takes_time:
            restoring = recalled_crews(network, games.memory.recalled())[0][:, CREW_KINDS.index(BlueKind.RESTORE)]
        num_served += int(restoring.sum())
        for i in range(num_envs):
            compromised = looking_compromised(network, observations[i], restoring[i])
            if {network.hosts[host] for host in np.flatnonzero(looks[i])} != compromised:
                found.append(f"step {step}, game {i}: looks")
            waiting = np.array([has_to_wait(network, order, compromised, action) for action in network.codec.names])
            num_waiting += int(waiting.sum())
            if not np.array_equal(masks[i], ~waiting):
                found.append(f"step {step}, game {i}: masks")
        actions = rng.choice(len(kinds), size=num_envs, p=weights / weights.sum())
        games.play(actions, observations, rewards)
    assert num_waiting > 0, "some fix has to wait, or nothing is tested"
    assert (num_served > 0) == network.blue_takes_time
    return found


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_keep_order__leaves_out_exactly_the_fixes_that_have_to_wait(name: str, seed: int) -> None:
    assert departures(name, seed) == []


def test_keep_order__does_not_wait_for_a_host_that_another_crew_restores(tmp_path: Path) -> None:
    text = files("cageflow.scenario").joinpath("plant.yaml").read_text()
    path = tmp_path / "network.yaml"
    path.write_text(text.replace("\ncrews: 1", "\ncrews: 2"))
    assert departures(str(path)) == []


def test_keep_order__keeps_what_other_masks_leave_out() -> None:
    games = GameBatch(GameOptions(red_agent="meander"), 1)
    masks = np.zeros((1, len(games.network.codec)), np.bool_)
    games.memory.keep_order(games.network.orders.unrank(0), masks)
    assert not masks.any()


KEEP_ORDER, LOOKS = BlueMemory.keep_order, BlueMemory.looks_compromised


def forgetting(memory: BlueMemory, field: str, ask: Callable[[], object]) -> object:
    """What a memory answers without one of its fields."""
    kept = memory.records[field].copy()
    memory.records[field] = 0
    answer = ask()
    memory.records[field] = kept
    return answer


def half_a_table(memory: BlueMemory, order: Order, masks: np.ndarray) -> None:
    forgetting(memory, "belief_high", lambda: KEEP_ORDER(memory, order, masks))


def backwards(memory: BlueMemory, order: Order, masks: np.ndarray) -> None:
    KEEP_ORDER(memory, order[::-1], masks)


def first_type_waits_too(memory: BlueMemory, order: Order, masks: np.ndarray) -> None:
    KEEP_ORDER(memory, order, masks)
    types = [host.unit_type for host in memory.network.scenario.hosts.values()]
    for i, looks in enumerate(LOOKS(memory)):
        if looks.any():
            first = min(order.index(types[host]) for host in np.flatnonzero(looks))
            for action in memory._fixes:
                masks[i, action] &= order.index(types[memory.network.codec.host[action]]) < first


@pytest.mark.parametrize("fault", [half_a_table, backwards, first_type_waits_too])
def test_departures__finds_a_rule_that_is_another(monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]) -> None:
    monkeypatch.setattr(BlueMemory, "keep_order", fault)
    assert any("masks" in one for one in departures("cage2", num_steps=40))


def test_departures__finds_hosts_that_look_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        BlueMemory, "looks_compromised", lambda memory: forgetting(memory, "belief_low", lambda: LOOKS(memory))
    )
    assert any("looks" in one for one in departures("cage2", num_steps=40))
