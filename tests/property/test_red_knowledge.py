"""What red takes to be in vain is in vain: it changes nothing, and red knew how it would go."""

import numpy as np
import pytest

from cageflow.envs.red_memory import RedMemory
from cageflow.scenario import Network, RedAgent, RedKind, default_network
from cageflow.scenario.durations import with_durations
from cageflow.scenario.schema import Durations
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.enums import Outcome
from cageflow.sim.given import give_loop
from cageflow.sim.handover import plain
from cageflow.sim.red_actions import knows_target
from cageflow.sim.red_view import always_reaches
from cageflow.sim.state import make_params, new_states

NETWORK = default_network()
SLOW = Network(with_durations(NETWORK.scenario, Durations(sweep=2, exploit=3, escalate=2, impact=2)))
ATTACKS = [kind for kind in RedKind if kind != RedKind.SLEEP]
# What a step notes of red's action. The stream moves where an exploit is drawn that cannot arrive.
NOTES = {"rng", "red_kind", "red_target", "red_valid", "red_outcome", "exploit"}
# What red remembers of how its last tries went.
OWN_NOTES = {"kind", "target", "valid", "outcome", "failures", "shut", "impacted"}
WEIGHTS = np.array([0.1, 2, 1, 1.2, 1.2, 3])  # by kind: red is to come far
EPISODE = 60


class Games:
    """A batch of games that is tried out: what a step would do is seen on copies."""

    def __init__(self, network, rules, num_envs=48, seed=7):
        self.network, self.params = network, make_params(RedAgent.GIVEN, rules, "official", 100, True)
        self.rng = np.random.default_rng(seed)
        self.begin(num_envs)

    def begin(self, num_envs):
        self.states, self.memory = new_states(self.network, num_envs), RedMemory(self.network, num_envs)
        seeds = self.rng.integers(2**60, size=num_envs, dtype=np.uint64)
        reset_batch(self.states, new_states(self.network, 1), seeds)

    def after(self, red, blue):
        """The games and red's memory after a step, which is not taken."""
        states, codec, memory = self.states.copy(), self.network.red_codec, RedMemory(self.network, len(red))
        give_loop(plain(states), codec.kinds, codec.targets, red)
        seen = np.zeros((len(red), self.network.num_observations), np.uint8)
        step_batch(states, self.network.tables, self.params, blue, seen, np.zeros(len(red), np.float32))
        memory.records[:] = self.memory.records
        memory.update(states)
        return states, memory

    def pick(self, masks):
        """(B,) an action of each row of a mask, or of weights, 0 where it has none."""
        return np.where(masks.any(axis=1), np.argmax(masks * self.rng.random(masks.shape), axis=1), 0)

    def blue(self):
        """(B,) actions of blue, who sleeps half of the time."""
        anything = self.rng.integers(len(self.network.codec), size=len(self.states))
        return np.where(self.rng.random(len(anything)) < 0.5, 0, anything)

    def red(self):
        """(B,) actions of red, most of them new ones that get it somewhere."""
        codec, m = self.network.red_codec, self.memory.records
        never = np.zeros(len(m), int)
        done = np.stack([never, m["swept"], m["scanned"], m["held"], m["raised"], never], axis=1)
        is_new = done[:, codec.kinds] >> np.maximum(codec.targets, 0) & 1 == 0
        useful = self.pick(self.memory.masks() * WEIGHTS[codec.kinds] * np.where(is_new, 1, 0.4))
        anything = self.rng.integers(len(codec), size=len(self.states))
        return np.where(self.rng.random(len(anything)) < 0.9, useful, anything)

    def foreseen(self, red):
        """(B,) how each of these actions goes if it is in vain: it fails, but for what red knows to succeed."""
        codec, tables = self.network.red_codec, self.network.tables
        outcomes = np.full(len(red), Outcome.FALSE)
        for i, (kind, target) in enumerate(zip(codec.kinds[red], codec.targets[red], strict=True)):
            m = self.memory.records.view(np.recarray)[i]
            goes = {
                RedKind.DISCOVER_REMOTE_SYSTEMS: lambda subnet: always_reaches(tables, subnet),
                RedKind.DISCOVER_NETWORK_SERVICES: lambda host: True,
                RedKind.PRIVILEGE_ESCALATE: lambda host: tables.start_privileged[host] > 0,
            }.get(RedKind(int(kind)), lambda target: False)
            if knows_target(m, int(kind), int(target)) and goes(int(target)):
                outcomes[i] = Outcome.TRUE
        return outcomes


def differ(one, other, notes):
    """(B,) bool: whether records differ in any field but some."""
    names = [name for name in one.dtype.names if name not in notes]
    return np.logical_or.reduce([(one[n] != other[n]).reshape(len(one), -1).any(axis=1) for n in names])


def try_out(games, num_steps=120):
    """Try an action in vain and one of use in each step.

    Returns:
        (2, kinds) how often either was tried, (2, kinds) how often it changed anything, and how often one in vain went
        otherwise than foreseen.
    """
    kinds, steps = games.network.red_codec.kinds, games.network.tables.red_steps
    tried, changed, surprises = np.zeros((2, len(RedKind)), int), np.zeros((2, len(RedKind)), int), 0
    for step in range(num_steps):
        if step % EPISODE == 0:
            games.begin(len(games.states))
        masks, blue, is_free = games.memory.masks(), games.blue(), games.states.red_left == 0
        rest = games.after(np.zeros(len(blue), int), blue)
        for i, actions in enumerate((games.pick(~masks), games.pick(masks))):
            # Of those that take time, only what is ignored can be told from Sleep in one step.
            lasts = steps[kinds[actions], np.maximum(games.network.red_codec.targets[actions], 0)] > 1
            is_judged = (actions > 0) & ~(is_free & lasts)
            states, memory = games.after(actions, blue)
            has_changed = differ(states, rest[0], NOTES) | differ(memory.records, rest[1].records, OWN_NOTES)
            np.add.at(tried[i], kinds[actions[is_judged]], 1)
            np.add.at(changed[i], kinds[actions[is_judged & has_changed]], 1)
            if i == 0:
                surprises += int((is_judged & is_free & (states.red_outcome != games.foreseen(actions))).sum())
        games.states, games.memory = games.after(games.red(), blue)
    return tried, changed, surprises


@pytest.mark.parametrize("rules", ["v2.1", "challenge"])
def test_action_in_vain__changes_nothing_and_goes_as_red_foresees(rules):
    tried, changed, surprises = try_out(Games(NETWORK, rules))
    assert (changed[0].sum(), surprises) == (0, 0)
    assert (tried[0, ATTACKS] > 100).all()
    assert (changed[1, ATTACKS] > 0).all(), "of other actions every kind is seen to change something"


def test_what_is_chosen_while_an_action_is_under_way__changes_nothing():
    tried, changed, _ = try_out(Games(SLOW, "v2.1"), num_steps=60)
    assert changed[0].sum() == 0
    assert (tried[0, ATTACKS] > 20).all()
