"""Actions that take time are the game without them, in which blue chooses later and red's steps are stretched."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cageflow.scenario import BlueKind, Network, RedAgent, RedKind, default_network
from cageflow.scenario.durations import with_durations
from cageflow.scenario.schema import Durations
from tests.helpers.play import Games

CREW_FIELDS = {"num_busy", "crew_action", "crew_left", "red_left"}
IDLE = (BlueKind.SLEEP, BlueKind.MONITOR)
ATTACKERS = st.sampled_from([RedAgent.B_LINE, RedAgent.MEANDER])
steps = st.integers(1, 6)
seeds = st.integers(0, 2**63)
some_actions = st.lists(st.integers(0, 144), min_size=1, max_size=60)


def timed(**durations: int) -> Network:
    """CAGE-2 with durations."""
    return Network(with_durations(default_network().scenario, Durations(**durations)))


def differences(states, others, besides=frozenset()):
    """The fields that differ."""
    names = set(states.dtype.names) - CREW_FIELDS - besides
    return {name for name in names if not np.array_equal(states[name], others[name])}


def delayed(network: Network, actions):
    """What one crew makes of blue's choices, in words: the action that takes effect in each step, and who is busy.

    A choice while the crew is free occupies it for as many steps as it takes, this one included, and takes effect in
    the last of them; any other choice is ignored. Sleep and Monitor occupy nobody.
    """
    effects, ends = [0] * (len(actions) + 200), -1
    for step, action in enumerate(actions):
        if step > ends and network.codec.kind[action] not in IDLE:
            ends = step + int(network.tables["action_steps"][action]) - 1
            effects[ends] = action
    return effects[: len(actions)]


@settings(max_examples=60)
@given(
    analyse=steps, remove=steps, restore=steps, decoy=steps, red=ATTACKERS, green=st.booleans(), seed=seeds,
    actions=some_actions,
)  # fmt: skip
def test_blues_durations__are_the_same_choices_later_bit_for_bit(
    analyse, remove, restore, decoy, red, green, seed, actions
):
    network = timed(analyse=analyse, remove=remove, restore=restore, decoy=decoy)
    slow, quick = (Games.start([seed], on, red_agent=red, green=green) for on in (network, default_network()))
    for chosen, effect in zip(actions, delayed(network, actions), strict=True):
        slow.step(chosen)
        quick.step(effect)
        assert differences(slow.states, quick.states, {"blue_outcome"}) == set()
        assert slow.rewards[0] == quick.rewards[0] and np.array_equal(slow.seen, quick.seen)


@settings(max_examples=60)
@given(
    sweep=steps, scan=steps, exploit=steps, escalate=steps, impact=steps, red=ATTACKERS, seed=seeds,
    num_steps=st.integers(1, 40),
)  # fmt: skip
def test_reds_durations__are_the_same_steps_stretched_bit_for_bit(
    sweep, scan, exploit, escalate, impact, red, seed, num_steps
):
    network = timed(sweep=sweep, scan=scan, exploit=exploit, escalate=escalate, impact=impact)
    slow, quick = (Games.start([seed], on, red_agent=red) for on in (network, default_network()))
    for _ in range(num_steps):
        quick.step(0)
        kind, target = RedKind(int(quick.states.red_kind[0])), int(quick.states.red_target[0])
        takes = int(network.tables["red_steps"][kind, target]) if kind != RedKind.SLEEP else 1
        for waited in range(takes):
            slow.step(0)
            assert slow.states.red_left[0] == takes - 1 - waited
        assert differences(slow.states, quick.states, {"step"}) == set()
        assert slow.rewards[0] == quick.rewards[0] and np.array_equal(slow.seen, quick.seen)


@settings(max_examples=30)
@given(red=st.sampled_from(list(RedAgent)), green=st.booleans(), seed=seeds, actions=some_actions)
def test_durations_of_one__are_the_game_without_them_bit_for_bit(red, green, seed, actions):
    ones, usual = (Games.start([seed], on, red_agent=red, green=green) for on in (timed(), default_network()))
    for action in actions:
        ones.step(action)
        usual.step(action)
        assert ones.digest() == usual.digest()
