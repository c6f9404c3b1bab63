"""What must hold for any run of the simulator."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cageflow.scenario import RedAgent
from cageflow.sim.enums import Outcome
from cageflow.sim.threads import BatchThreads
from tests.helpers.lab import same
from tests.helpers.play import (
    ALL_REDS,
    GAMES,
    INVARIANTS,
    Games,
    broken_invariants,
    hash_of_play,
    random_actions,
)
from tools.numba_cache_dir import numba_cache_dir

ROOT = Path(__file__).resolve().parents[2]
NUM_ENVS, NUM_STEPS = 64, 120

games_of_all_kinds = pytest.mark.parametrize(
    "settings", GAMES, ids=lambda s: f"{RedAgent(s['red_agent']).name}-{s['rules']}"
)
seeds = st.integers(0, 2**63)
reds = st.sampled_from(ALL_REDS)
some_actions = st.lists(st.integers(0, 144), min_size=1, max_size=80)


def run_as(environment, *arguments):
    """Run tests.helpers.play in another process, under other settings of Numba."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=220,
    )


@games_of_all_kinds
def test_batch__equals_its_environments_one_by_one_bit_for_bit(settings):
    actions = random_actions(1, NUM_STEPS, NUM_ENVS)
    batch = Games.start(np.arange(NUM_ENVS), **settings)
    singles = [Games.start([seed], **settings) for seed in range(NUM_ENVS)]
    for step in range(NUM_STEPS):
        batch.step(actions[step])
        for i, single in enumerate(singles):
            single.step(actions[step, i])
            assert np.array_equal(single.seen[0], batch.seen[i])
            assert single.rewards[0] == batch.rewards[i]
    assert all(same(single.states[0], batch.states[i]) for i, single in enumerate(singles))


@games_of_all_kinds
@pytest.mark.parametrize("num_threads", [2, 3, 64])
def test_threads__change_nothing(settings, num_threads):
    actions = random_actions(2, NUM_STEPS, NUM_ENVS)
    plain, shared = (Games.start(np.arange(NUM_ENVS), **settings) for _ in range(2))
    threads = BatchThreads(NUM_ENVS, num_threads)

    def step_slice(part):
        some = Games(shared.network, shared.params, shared.states[part], shared.seen[part], shared.rewards[part])
        some.step(row[part])

    for row in actions:
        plain.step(row)
        threads.run(step_slice)
    threads.close()
    assert plain.digest() == shared.digest()


@given(seed=seeds, red=reds, actions=some_actions)
def test_same_seed_and_actions__give_the_same_episode(seed, red, actions):
    first, second = (Games.start([seed], red_agent=red, green=True) for _ in range(2))
    for action in actions:
        first.step(action)
        second.step(action)
        assert first.digest() == second.digest()


def test_other_seeds__give_other_episodes():
    games = Games.start(np.arange(200), red_agent=RedAgent.MEANDER)
    targets = []
    for _ in range(30):
        games.step(0)
        targets.append(games.states.red_target.copy())
    assert len(set(map(tuple, np.array(targets).T))) > 190


@given(seed=seeds, red=reds, actions=some_actions, changed=st.integers(0, 4), by=st.integers(1, 144))
def test_other_actions_in_one_environment__leave_the_others_untouched(seed, red, actions, changed, by):
    usual, other = (
        Games.start(np.uint64(seed) + np.arange(5, dtype=np.uint64), red_agent=red, green=True) for _ in range(2)
    )
    for action in actions:
        row = (action + np.arange(5)) % 145
        usual.step(row)
        row[changed] = (row[changed] + by) % 145
        other.step(row)
    rest = np.arange(5) != changed
    assert same(usual.states[rest], other.states[rest])
    assert np.array_equal(usual.seen[rest], other.seen[rest])
    assert np.array_equal(usual.rewards[rest], other.rewards[rest])


@given(seed=seeds, red=reds, actions=some_actions)
def test_state_that_is_copied__goes_on_as_the_original(seed, red, actions):
    games = Games.start([seed], red_agent=red, green=True)
    half = len(actions) // 2
    for action in actions[:half]:
        games.step(action)
    copy = Games(games.network, games.params, games.states.copy(), games.seen.copy(), games.rewards.copy())
    for action in actions[half:]:
        games.step(action)
        copy.step(action)
    assert games.digest() == copy.digest()


@games_of_all_kinds
@pytest.mark.parametrize("observation", ["corrected", "official"])
def test_invariants__hold_in_every_step(settings, observation):
    games = Games.start(np.arange(300), observation=observation, **settings)
    for step, actions in enumerate(random_actions(3, 150, 300)):
        games.step(actions)
        broken = broken_invariants(games, actions)
        assert not broken, f"step {step}, first environment of each: {broken}"


@pytest.mark.parametrize("action", ["Sleep", "Remove User1", "DecoyVsftpd Enterprise0", "Restore Op_Server0"])
def test_invariants__hold_in_long_episodes(action):
    games = Games.start(np.arange(20), red_agent=RedAgent.MEANDER, green=True)
    actions = np.full(20, games.network.codec.encode(action))
    for step in range(3000):
        games.step(actions)
        if step % 100 == 99:
            assert not broken_invariants(games, actions)


BREAK = {
    "red_keeps_its_first_session": lambda g: g.states.privileged.__setitem__((2, 8), 0),
    "session_counts_are_not_negative": lambda g: g.states.stubborn.__setitem__((2, 4), -1),
    "session_order_has_a_bit_for_each_removable_session": lambda g: g.states.session_order.__setitem__((2, 4), 1),
    "red_never_holds_the_defender": lambda g: g.states.stubborn.__setitem__((2, 0), 1),
    "removable_sessions_have_left_files": lambda g: g.states.removable.__setitem__((2, 4), 1),
    "decoys_and_their_number_agree": lambda g: g.states.decoys.__setitem__((2, 4), 1),
    "restored_host_is_clean_unless_red_came_back_in_the_same_step": lambda g: g.states.stubborn.__setitem__((2, 7), 1),
    "service_that_was_restored_runs_for_good": lambda g: g.states.stopped.__setitem__(2, 1 << 7),
    "observation_bits_are_legal": lambda g: g.seen.__setitem__((2, 1), 1),
    "observation_shows_blues_marks": lambda g: g.seen.__setitem__((2, 2), 1),
    "reward_is_what_the_price_list_says": lambda g: g.rewards.__setitem__(2, -2.0),
    "red_acts_on_what_it_knows": lambda g: (
        g.states.red_kind.__setitem__(2, 3),
        g.states.red_target.__setitem__(2, 4),
    ),
    "free_draws_are_never_at_fault": lambda g: g.states.tape_fault.__setitem__(2, 1),
    "outcomes_are_known_words": lambda g: g.states.red_outcome.__setitem__(2, 3),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_invariant__reports_a_state_that_breaks_it(name):
    games = Games.start(np.arange(4), red_agent=RedAgent.B_LINE)
    actions = np.full(4, games.network.codec.encode("Restore Op_Server0"))
    games.step(actions)
    assert not broken_invariants(games, actions)
    BREAK[name](games)
    assert broken_invariants(games, actions)[name] == 2


@pytest.mark.slow
def test_plain_python__plays_as_compiled_code_does():
    ran = run_as({"NUMBA_DISABLE_JIT": "1"}, "-W", "error", "-m", "tests.helpers.play", "100")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [hash_of_play(100, **settings) for settings in GAMES]


@pytest.mark.slow
def test_plain_python__passes_the_simulators_tests():
    ran = run_as(
        {"NUMBA_DISABLE_JIT": "1"},
        *("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/unit/sim"),
        *("--ignore", "tests/unit/sim/test_cuda.py"),  # compiles, and needs what may not be installed
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    assert "skipped" not in ran.stdout


def test_hash_of_play__changes_with_a_single_draw():
    assert hash_of_play(40, red_agent=RedAgent.B_LINE) != hash_of_play(40, red_agent=RedAgent.B_LINE, green=True)
    assert hash_of_play(40, red_agent=RedAgent.B_LINE) != hash_of_play(41, red_agent=RedAgent.B_LINE)


BOUNDS_CHECKED = {
    "NUMBA_BOUNDSCHECK": "1",
    "NUMBA_CACHE_DIR": str(numba_cache_dir(ROOT, {"NUMBA_BOUNDSCHECK": "1"})),
}


@pytest.mark.slow
def test_no_table_is_read_out_of_its_range():
    ran = run_as(BOUNDS_CHECKED, "-m", "tests.helpers.play", "2000")
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.split()) == len(GAMES)
    wrong = "from tests.helpers.play import Games; Games.start([0]).step(145)"
    ran = run_as(BOUNDS_CHECKED, "-c", wrong)
    assert "IndexError" in ran.stderr, "an action out of range must be noticed when bounds are checked"


# What must change, and what must not, when one thing is changed.


@games_of_all_kinds
def test_monitor_in_place_of_sleep__changes_only_whether_blue_succeeded(settings):
    sleep, monitor = (Games.start(np.arange(100), **settings) for _ in range(2))
    for _ in range(100):
        sleep.step(0)
        monitor.step(1)
        assert (sleep.states.blue_outcome == Outcome.UNKNOWN).all()
        assert (monitor.states.blue_outcome == Outcome.TRUE).all()
        assert np.array_equal(sleep.rewards, monitor.rewards)
        assert np.array_equal(sleep.seen, monitor.seen)
    monitor.states.blue_outcome[:] = Outcome.UNKNOWN
    assert same(sleep.states, monitor.states)


@pytest.mark.parametrize("rules", ["v2.1", "challenge"])
def test_restore_of_a_host_that_red_never_visits__costs_one_and_changes_nothing_else(rules):
    sleep, restore = (Games.start(np.arange(100), red_agent=RedAgent.B_LINE, rules=rules) for _ in range(2))
    action = restore.network.codec.encode("Restore Op_Host2")
    for _ in range(100):
        sleep.step(0)
        restore.step(action)
        assert np.array_equal(np.rint(sleep.rewards * 10) - 10, np.rint(restore.rewards * 10))
        assert np.array_equal(sleep.seen, restore.seen)
    for name in ("restored", "blue_outcome"):
        restore.states[name] = sleep.states[name]
    assert same(sleep.states, restore.states)


@games_of_all_kinds
def test_official_table__differs_in_nothing_but_scans_that_a_new_decoy_hides(settings):
    corrected = Games.start(np.arange(300), observation="corrected", **settings)
    official = Games.start(np.arange(300), observation="official", **settings)
    hidden = 0
    for actions in random_actions(5, 100, 300):
        corrected.step(actions)
        official.step(actions)
        differs = (corrected.seen != official.seen).any(axis=1)
        hidden += int(differs.sum())
        corrected.seen[:, ::4] &= ~(differs[:, None] & (corrected.states.new_decoys[:, None] >> np.arange(13) & 1 == 1))
        assert np.array_equal(corrected.seen, official.seen)
        corrected.states.activity_low, corrected.states.table = official.states.activity_low, official.states.table
        assert same(corrected.states, official.states)
    assert (hidden > 0) == (settings["red_agent"] != RedAgent.SLEEP or settings["green"])


def test_rule_sets__differ_only_once_a_host_was_restored_or_scanned_again():
    old, new = (Games.start(np.arange(300), red_agent=RedAgent.B_LINE, rules=rules) for rules in ("challenge", "v2.1"))
    for actions in random_actions(6, 100, 300):
        old.step(actions)
        new.step(actions)
    differs = ~np.array([same(a, b) for a, b in zip(old.states, new.states, strict=True)])
    assert differs.any()
    assert (new.states.restored[differs] != 0).all()
