"""Red agents that are made of the two scripts, and the one that plays by chance, against a plain reading of each."""

from typing import NamedTuple

import numpy as np
import pytest

from cageflow.scenario import Network, RedAgent, RedKind, default_network, load_network
from cageflow.sim.enums import Outcome
from cageflow.sim.handover import JIT_DISABLED
from tests.helpers.play import Games

NETWORK = default_network()
SLEEP, SWEEP = RedKind.SLEEP, RedKind.DISCOVER_REMOTE_SYSTEMS
B_LINE, MEANDER = RedAgent.B_LINE, RedAgent.MEANDER
NUM_GAMES = 20 if JIT_DISABLED else 400  # as plain Python they take their time


class Trace(NamedTuple):
    """What red did in each step of some games; (T, B), of the state after the step."""

    kind: np.ndarray
    target: np.ndarray
    outcome: np.ndarray
    connections: np.ndarray
    script: np.ndarray
    known_subnets: np.ndarray


def play(red: RedAgent, num_steps: int, network: Network = NETWORK, num_games: int = NUM_GAMES, **settings) -> Trace:
    """Games in which blue sleeps."""
    games, rows = Games.start(np.arange(num_games), network, red_agent=red, **settings), []
    names = ("red_kind", "red_target", "red_outcome", "red_connections", "red_agent", "known_subnets")
    for _ in range(num_steps):
        games.step(0)
        rows.append([games.states[name].copy() for name in names])
    return Trace(*(np.array(column) for column in zip(*rows, strict=True)))


def b_line_reads(trace: Trace, game: int, steps: range, network: Network = NETWORK) -> None:
    """B-line's rule, step by step: on after a success, back to the stage's fallback after anything else."""
    t, stage, first, tried_goal = network.tables, 0, None, False
    for step in steps:
        began = step == steps[0]
        won = not began and trace.outcome[step - 1, game] == Outcome.TRUE
        stage = min(stage + 1, len(t.b_line_kind) - 1) if won else int(t.b_line_fallback[stage])
        if stage == t.b_line_goal_stage and not tried_goal:
            tried_goal = trace.connections[step - 1, game] > 0
            stage = stage if tried_goal else 1
        if stage == 1 and first is None:
            first = int(trace.target[step, game])
        assert trace.kind[step, game] == t.b_line_kind[stage], (game, step)
        assert trace.target[step, game] == t.b_line_target[stage, first or 0], (game, step)


def is_near(share: float, expected: float, trials: int) -> bool:
    """Whether a share is within four standard errors."""
    return abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / trials)


def test_sleepy_b_line__tosses_a_coin_once_and_sleeps_for_the_whole_episode_or_plays_the_script():
    trace = play(RedAgent.SLEEPY_B_LINE, 30)
    sleeps = trace.kind[0] == SLEEP
    assert is_near(sleeps.mean(), 0.5, NUM_GAMES)
    assert (trace.kind[:, sleeps] == SLEEP).all()
    for game in np.flatnonzero(~sleeps):
        b_line_reads(trace, game, range(30))


def test_late_b_line__sleeps_by_the_toss_of_a_coin_and_then_plays_the_script():
    trace = play(RedAgent.LATE_B_LINE, 30)
    dozed = (trace.kind != SLEEP).argmax(axis=0)
    for game in range(NUM_GAMES):
        b_line_reads(trace, game, range(int(dozed[game]), 30))
    for count in range(4):
        assert is_near((dozed == count).mean(), 0.5 ** (count + 1), NUM_GAMES), count


def test_sleepy_meander__sleeps_by_the_toss_of_a_coin_wherever_a_subnet_is_to_be_swept():
    trace, plain = play(RedAgent.SLEEPY_MEANDER, 100), play(RedAgent.MEANDER, 100)
    assert not (plain.kind == SLEEP).any()
    dozed = swept_at = 0
    for game in range(NUM_GAMES):
        swept: set[int] = set()
        for step in range(100):
            known = int(trace.known_subnets[step - 1, game]) if step else int(NETWORK.tables.start_subnets)
            to_sweep = [subnet for subnet in range(3) if known >> subnet & 1 and subnet not in swept]
            kind = trace.kind[step, game]
            if kind == RedKind.IMPACT:  # which comes before all else
                continue
            assert (kind in (SLEEP, SWEEP)) == (to_sweep != []), (game, step)
            if kind == SWEEP:
                assert trace.target[step, game] == to_sweep[0]
                swept.add(to_sweep[0])
                swept_at += 1
            dozed += kind == SLEEP
    assert swept_at >= 2 * NUM_GAMES
    assert is_near(dozed / (dozed + swept_at), 0.5, dozed + swept_at)


def test_switch__goes_from_one_script_to_the_other_once_in_any_step_but_the_first():
    steps, num_games = 20, 5 * NUM_GAMES
    trace = play(RedAgent.SWITCH, steps, num_games=num_games, max_steps=steps)
    first, last = trace.script[0], trace.script[-1]
    assert set(first) == {B_LINE, MEANDER}
    assert (first + last == B_LINE + MEANDER).all()
    assert (np.diff(trace.script, axis=0) != 0).sum(axis=0).max() == 1
    assert is_near((first == B_LINE).mean(), 0.5, num_games)
    switched = (trace.script == last).argmax(axis=0)
    counts = np.bincount(switched, minlength=steps)
    assert counts[0] == 0
    expected = num_games / (steps - 1)
    assert ((counts[1:] - expected) ** 2).sum() / expected < 42.3  # chi-square of 18 degrees, one in a thousand


@pytest.mark.parametrize("first", [B_LINE, MEANDER])
def test_switch__the_second_script_begins_at_its_own_beginning(first):
    trace = play(RedAgent.SWITCH, 40, max_steps=40)
    chosen = np.flatnonzero(trace.script[0] == first)
    assert len(chosen) > NUM_GAMES / 4
    for game in chosen:
        at = int((trace.script[:, game] != first).argmax())
        of_b_line = range(at) if first == B_LINE else range(at, 40)
        b_line_reads(trace, game, of_b_line)
        if first == B_LINE:
            assert trace.kind[at, game] == SWEEP, "Meander sweeps what is known first"


def test_switch__an_episode_of_one_step_has_no_second_script():
    assert (np.diff(play(RedAgent.SWITCH, 5, max_steps=1).script, axis=0) == 0).all()


def test_random__takes_each_of_reds_actions_as_often():
    trace = play(RedAgent.RANDOM, 40, num_games=max(NUM_GAMES, 50))
    num_subnets, num_hosts = len(NETWORK.subnets), len(NETWORK.hosts)
    taken = {(int(kind), int(target)) for kind, target in zip(trace.kind.ravel(), trace.target.ravel(), strict=True)}
    every = {(0, -1)} | {(1, subnet) for subnet in range(num_subnets)}
    every |= {(kind, host) for kind in range(2, 6) for host in range(num_hosts)}
    assert taken == every
    place = np.where(trace.kind == 1, trace.target, num_subnets + (trace.kind - 2) * num_hosts + trace.target) + 1
    counts = np.bincount(np.where(trace.kind == SLEEP, 0, place).ravel(), minlength=len(every))
    expected = trace.kind.size / len(every)
    assert ((counts - expected) ** 2).sum() / expected < 99.6  # chi-square of 55 degrees, one in five thousand


@pytest.mark.parametrize("red", ["RANDOM", "SLEEPY_B_LINE", "SLEEPY_MEANDER", "LATE_B_LINE", "SWITCH"])
def test_agents__play_where_actions_take_time(red):
    assert (play(RedAgent[red], 5, load_network(None, "cage4"), num_games=20).kind != SLEEP).any()
