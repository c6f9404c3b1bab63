"""What blue remembers of an episode: nothing but its own actions and what its table showed after them.

So the same memory can be kept wherever blue plays, in the original as well as here. `knowledge` tells from it which
actions are in vain, `recall` writes it out for a policy to read.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from cageflow.scenario import BlueKind, Network
from cageflow.scenario.masks import mask_type
from cageflow.sim.blue import fitting_decoys
from cageflow.sim.crews import pop_done, take_on, tick
from cageflow.sim.state import Array, crew_fields, table_fields

SLEEP = 0  # its number in every network


def memory_dtype(network: Network) -> np.dtype:
    """Layout of what blue remembers; all zero at the start of an episode. Sets of hosts are masks."""
    h = len(network.hosts)
    hosts, decoys = mask_type(h), mask_type(len(network.decoys))
    return np.dtype(
        [
            *table_fields(hosts),  # the last observation
            *((f"last_{name}", kind) for name, kind in table_fields(hosts)),  # the one before
            ("traces", hosts),  # hosts on which red may have left files
            ("hidden", hosts),  # hosts where a scan may have hidden an attack
            ("touched", hosts),  # hosts on which any activity was seen
            ("attacked", hosts),  # hosts on which an attack was seen
            ("restored", hosts),  # hosts that blue has restored
            *crew_fields(network),  # what is under way
            ("green", np.int8),  # whether blue holds that green may be awake, whatever the settings say
            ("step", np.int32),  # steps behind it
            ("last_action", np.int16),
            ("decoys", decoys, (h,)),  # blue's own, as a decoy mask
            ("seen_at", np.int32, (h,)),  # step, from 1, in which activity was last seen; 0 for none
        ],
        align=True,
    )


def new_memories(network: Network, num_envs: int) -> Array:
    """(B,) records as they stand at the start of an episode."""
    return np.zeros(num_envs, memory_dtype(network)).view(np.recarray)


def forget(memories: Array, mask: npt.NDArray[np.bool_]) -> None:
    """Begin an episode in the environments of a (B,) mask."""
    memories.view(np.ndarray).view(np.uint8).reshape(len(memories), -1)[mask] = 0


@njit(cache=True)
def see(m, s):
    """Look at the table of an environment after a step; `remember` then draws the conclusions."""
    keep_last_table(m)
    m.activity_low = s.activity_low
    m.activity_high = s.activity_high
    m.belief_low = s.belief_low
    m.belief_high = s.belief_high


@njit(cache=True)
def see_bits(m, bits):
    """Look at a table given as bits.

    Args:
        m: one record of `memory_dtype`; written.
        bits: (F,) of any number type, more than 0.5 being a one.
    """
    keep_last_table(m)
    m.activity_low = mask_of(bits, 0)
    m.activity_high = mask_of(bits, 1)
    m.belief_low = mask_of(bits, 2)
    m.belief_high = mask_of(bits, 3)


@njit(cache=True)
def mask_of(bits, place):
    """Mask of the hosts whose bit at this place, 0 to 3, is set in a table."""
    mask = 0
    for host in range(bits.shape[0] >> 2):
        if bits[4 * host + place] > 0.5:
            mask |= 1 << host
    return mask


@njit(cache=True)
def keep_last_table(m):
    """Put the table aside, since another is to be seen."""
    m.last_activity_low = m.activity_low
    m.last_activity_high = m.activity_high
    m.last_belief_low = m.belief_low
    m.last_belief_high = m.belief_high


@njit(cache=True)
def remember(m, net, params, action):
    """Take in blue's action and what its table shows after it, which `m` has seen.

    Args:
        m: one record of `memory_dtype`; written.
        net: the network's tables.
        params: the settings; `green_awake` and `official_table` are read.
        action: number of blue's action.
    """
    if net.blue_takes_time:
        kind = net.action_kind[action]
        needs_no_crew = kind == BlueKind.SLEEP or kind == BlueKind.MONITOR
        m.last_action = action if take_on(m, net, action) or needs_no_crew else SLEEP  # ignored where all are busy
        tick(m)
        done = pop_done(m)
        while done >= 0:
            note_effect(m, net, params, done)
            done = pop_done(m)
    else:
        m.last_action = action
        note_effect(m, net, params, action)
    m.step += 1
    active, attacked = int(m.activity_low), int(m.activity_high)
    m.traces |= active
    m.touched |= active
    m.attacked |= attacked
    if params.green_awake or m.green:
        m.hidden |= active & ~attacked
    if active:
        for active_host in range(m.seen_at.shape[0]):
            if active >> active_host & 1:
                m.seen_at[active_host] = m.step


@njit(cache=True)
def note_effect(m, net, params, action):
    """What follows from one of blue's own actions in the step in which it takes effect."""
    kind = net.action_kind[action]
    host = int(net.action_host[action])
    if kind == BlueKind.RESTORE:
        m.decoys[host] = 0
        m.traces &= ~(1 << host)
        m.hidden &= ~(1 << host)
        m.restored |= 1 << host
    elif kind == BlueKind.REMOVE:
        m.hidden &= ~(1 << host)
    elif kind == BlueKind.DECOY:
        decoy = int(net.action_decoy[action])
        fitting = fitting_decoys(m, net, host, decoy)
        if fitting != 0:
            m.decoys[host] |= fitting & -fitting  # where chance chose it is not told which, and how many is enough
            if params.official_table:
                m.traces |= 1 << host


@njit(cache=True, nogil=True)
def remember_loop(memories, nets, settings, actions, observations):
    """Take in a step of a batch.

    Args:
        memories: (B,) records of `memory_dtype`; written.
        nets: (1,) the network's tables.
        settings: (1,) the settings.
        actions: (B,) integers, 0 <= action < A.
        observations: (B, F) of any number type, more than 0.5 being a one.
    """
    for i in range(memories.shape[0]):
        see_bits(memories[i], observations[i])
        remember(memories[i], nets[0], settings[0], actions[i])
