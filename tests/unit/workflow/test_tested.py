"""Which fixes test an order: cases worked by hand, and a plain statement of the rule over random play."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind, default_network, load_network
from cageflow.sim.enums import Compromise
from cageflow.sim.memory import new_memories
from cageflow.sim.state import new_states
from cageflow.workflow.compliance import ComplianceTracker
from cageflow.workflow.tested import pooled_share
from tests.helpers.orders import parse_order

NETWORK = default_network()
ENTERPRISE_FIRST = parse_order("enterprise,op_server,op_host,defender,user")
TYPES = NETWORK.unit_types
FIXES = (BlueKind.REMOVE, BlueKind.RESTORE)


def judge(action: str, held: dict[str, str], looks: dict[str, Compromise] | None = None) -> ComplianceTracker:
    """One action, with sessions of red's (by host: the level) and what blue believes."""
    states, memories = new_states(NETWORK, 1), new_memories(NETWORK, 1)
    for host, level in held.items():
        states[level][0, NETWORK.hosts.index(host)] += 1
    for host, belief in (looks or {}).items():
        memories["belief_low"] |= (belief.value & 1) << NETWORK.hosts.index(host)
        memories["belief_high"] |= (belief.value >> 1) << NETWORK.hosts.index(host)
    tracker = ComplianceTracker(NETWORK, ENTERPRISE_FIRST, 1, 30.0)
    tracker.score_states(states, memories, np.array([NETWORK.codec.encode(action)]), np.empty(1, np.float32))
    return tracker


def counts_of(action: str, held: dict[str, str], looks: dict[str, Compromise] | None = None) -> list[int]:
    return judge(action, held, looks).tests.counts[0].tolist()


BOTH = {"Enterprise1": "privileged", "User1": "stubborn"}


def test_fix_while_two_types_are_held__tests_the_order() -> None:
    assert counts_of("Restore Enterprise1", BOTH) == [1, 1, 0, 0]
    assert counts_of("Remove User1", BOTH) == [1, 0, 0, 0]


def test_fix_of_the_only_type_that_is_held__is_no_test() -> None:
    assert counts_of("Restore User1", {"User1": "removable", "User2": "removable"}) == [0, 0, 0, 0]


def test_fix_of_a_clean_machine__counts_neither_way() -> None:
    assert counts_of("Restore Enterprise0", BOTH) == [0, 0, 0, 0]  # of the right type, and clean
    assert counts_of("Restore Op_Server0", BOTH) == [0, 0, 0, 0]


def test_red_s_first_session__is_none_that_a_fix_could_serve() -> None:
    assert counts_of("Restore Enterprise1", {"Enterprise1": "removable"}) == [0, 0, 0, 0]
    assert counts_of("Restore User0", {"Enterprise1": "removable"}) == [0, 0, 0, 0]
    assert counts_of("Restore User0", {"Enterprise1": "removable", "User0": "removable"}) == [1, 0, 0, 0]


def test_what_is_no_fix__tests_nothing() -> None:
    looks = {"Enterprise1": Compromise.PRIVILEGED, "User1": Compromise.USER}
    for action in ("Sleep", "Analyse Enterprise1", "DecoyApache User1"):
        assert counts_of(action, BOTH, looks) == [0, 0, 0, 0]


@pytest.mark.parametrize("belief", [Compromise.UNKNOWN, Compromise.USER, Compromise.PRIVILEGED])
def test_what_blue_could_know__goes_by_its_table(belief: Compromise) -> None:
    looks = {"Enterprise1": belief, "User1": Compromise.USER}
    assert counts_of("Restore Enterprise1", {}, looks) == [0, 0, 1, 1]
    assert counts_of("Restore User1", {}, looks) == [0, 0, 1, 0]
    assert counts_of("Restore User1", {"Enterprise1": "removable", "User1": "removable"}) == [1, 0, 0, 0]


def test_contests__say_who_was_passed_over_for_whom() -> None:
    looks = {"Enterprise1": Compromise.USER, "User1": Compromise.USER, "Op_Host0": Compromise.UNKNOWN}
    tracker = judge("Restore User1", {}, looks)
    user, enterprise, op_host = (TYPES.index(name) for name in ("user", "enterprise", "op_host"))
    expected = np.zeros((len(TYPES), len(TYPES)), int)
    expected[user, [enterprise, op_host]] = 1
    assert tracker.tests.contests[0].tolist() == expected.tolist()
    assert not judge("Restore Op_Server0", BOTH, looks).tests.contests.any()


def test_restart__forgets_the_tests() -> None:
    tracker = judge("Restore User1", BOTH, {"Enterprise1": Compromise.USER, "User1": Compromise.USER})
    assert tracker.tests.counts.any() and tracker.tests.contests.any()
    tracker.restart()
    assert not (tracker.tests.counts.any() or tracker.tests.contests.any())


def test_share_of_no_tests__is_none() -> None:
    assert pooled_share(0, 0) is None
    assert pooled_share(3, 4) == 0.75


class Statement:
    """The rule once more in plain Python, host by host, for one game."""

    def __init__(self, network, order) -> None:
        self.network, self.order = network, [network.unit_types.index(name) for name in order]
        self.counts = [0, 0, 0, 0]
        self.contests = np.zeros((len(order), len(order)), int)

    def note(self, state, memory, action: int) -> None:
        network = self.network
        kind, target = network.codec.kind[action], int(network.codec.host[action])
        if kind not in FIXES or state["num_busy"] == network.scenario.crews:
            return
        tables, hosts = network.tables, range(len(network.hosts))
        begun = [int(tables["start_user"][h]) + int(tables["start_privileged"][h]) for h in hosts]
        sessions = [int(state["removable"][h]) + int(state["stubborn"][h]) + int(state["privileged"][h]) for h in hosts]
        served = {
            int(network.codec.host[a])
            for a in state["crew_action"][: state["num_busy"]]
            if network.codec.kind[a] in FIXES
        }
        flagged = int(memory["belief_low"]) | int(memory["belief_high"])
        by_truth = {h for h in hosts if sessions[h] > begun[h]} - served
        by_looks = {h for h in hosts if flagged >> h & 1 and begun[h] == 0} - served
        for place, held in ((0, by_truth), (2, by_looks)):
            types = {int(network.host_unit_type[h]) for h in held}
            if target not in held or len(types) < 2:
                continue
            fixed = int(network.host_unit_type[target])
            self.counts[place] += 1
            self.counts[place + 1] += min(types, key=self.order.index) == fixed
            if place == 2:
                for other in types - {fixed}:
                    self.contests[fixed, other] += 1


@pytest.mark.parametrize(
    "game",
    [
        {"red_agent": "meander", "max_steps": 60},
        {"red_agent": "bline", "max_steps": 60, "durations": "cage4", "green": True},
        {"red_agent": "meander", "max_steps": 80, "scenario": "plant", "crews": 2},
    ],
    ids=["cage2", "slow", "plant"],
)
def test_compiled__is_the_plain_statement_over_random_play(game: dict[str, Any], tmp_path: Path) -> None:
    if "crews" in game:
        path = tmp_path / "network.yaml"
        scenario = load_network(game["scenario"]).scenario
        content = scenario.model_dump(mode="json") | {"name": "Crews", "crews": game.pop("crews")}
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        game["scenario"] = path
    options = GameOptions(**game)
    network = options.network
    num_envs, rng = 12, np.random.default_rng(3)
    order = network.orders.unrank(len(network.orders) // 3)
    batch = GameBatch(options, num_envs)
    observations, rewards = np.zeros((num_envs, network.num_observations), np.uint8), np.zeros(num_envs, np.float32)
    batch.begin(np.arange(num_envs, dtype=np.uint64), observations)
    tracker = ComplianceTracker(network, order, num_envs, 1.0)
    statements = [Statement(network, order) for _ in range(num_envs)]
    restores = np.flatnonzero(np.isin(network.codec.kind, FIXES))
    for _ in range(options.max_steps):
        actions = np.where(
            rng.random(num_envs) < 0.3, rng.choice(restores, num_envs), rng.integers(len(network.codec), size=num_envs)
        )
        for i, statement in enumerate(statements):
            statement.note(batch.states[i], batch.memory.records[i], int(actions[i]))
        batch.judge(tracker, actions, rewards)
        batch.play(actions, observations, rewards)
    assert tracker.tests.counts.tolist() == [statement.counts for statement in statements]
    assert np.array_equal(tracker.tests.contests, [statement.contests for statement in statements])
    tested, complied, known, known_complied = tracker.tests.counts.sum(axis=0)
    assert 0 < complied < tested and 0 < known_complied < known
