"""Replay of recorded episodes: the simulator plays them again with their chance outcomes, and every step is compared.

The recorded draws are forced (`cageflow.sim.enums.Draw`) and blue's actions are given; all else is the simulator's own,
also what red does, which it chooses from its own memory where it is one of `REPLAYED`: the original's agents, and those
that are made of them. So a recorded action of red that its agent could not have chosen, or an exploit that was none of
its options, is a difference like a wrong reward. The actions of any other red are given too; whether it could take
them, and what comes of them, is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.errors import UserError
from cageflow.parity.recording import FIELDS, Recording, RecordingMeta, empty_arrays, load_recording
from cageflow.scenario import Network, RedAgent, RedKind
from cageflow.scenario.red_agents import REPLAYED
from cageflow.sim.batch import reset_batch, step_batch
from cageflow.sim.enums import Draw, Tape
from cageflow.sim.state import make_params, new_states

POSSIBLE_DRAWS = "possible_draws"
"""Field beside those of a recording: 0 where a recorded draw was none that the simulator could have drawn."""

GivenActions = tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]
"""(E, T) kinds and targets of red's actions."""

COMPARED = (
    POSSIBLE_DRAWS,
    "red_valid",
    "red_kind",
    "red_target",
    "exploit",
    "detected",
    "escalate_session",
    "green_scan",
    "red_success",
    "blue_success",
    "user_sessions",
    "privileged_sessions",
    "decoys",
    "ot_running",
    "reward",
    "obs",
    "obs_official",
)
"""The fields that are compared, causes before effects."""

# Of a step, the field of the environment's record that holds a field of the recording.
_STEP_FIELDS = {
    "red_kind": "red_kind",
    "red_target": "red_target",
    "red_valid": "red_valid",
    "exploit": "exploit",
    "detected": "detected",
    "escalate_session": "escalated_session",
    "green_scan": "green_scan",
    "red_success": "red_outcome",
    "blue_success": "blue_outcome",
}
# Red draws a host to scan, to exploit or to escalate; what it sweeps or impacts follows from its memory.
_DRAWN_TARGETS = (RedKind.DISCOVER_NETWORK_SERVICES, RedKind.EXPLOIT_REMOTE_SERVICE, RedKind.PRIVILEGE_ESCALATE)
_DOZED = np.full(len(RedKind), Tape.NOT_DRAWN, np.int8)
_DOZED[[RedKind.SLEEP, RedKind.DISCOVER_REMOTE_SYSTEMS]] = 1, 0

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Mismatch:
    """The first difference of an episode or of a field.

    Attributes:
        episode: 0 for the first of the recording.
        step: 1 for the first of the episode; 0 is the state after the reset.
        field: one of `COMPARED`.
        host: index of the host, None where the field is not one value per host.
        expected: what the recording says; of an observation the host's four bits.
        got: what the simulator says.
    """

    episode: int
    step: int
    field: str
    host: int | None
    expected: tuple[float, ...]
    got: tuple[float, ...]


@dataclass(frozen=True)
class ReplayReport:
    """What a replay of one recording found.

    Attributes:
        recording: what was replayed.
        path: the file it came from, None for a recording made in memory.
        mismatches: steps, that is pairs of episode and step, in which any field differs. After a difference the replay
            goes on from the simulator's own state, so later steps may differ as well, and all are counted. A difference
            after the reset counts as one in the first step.
        field_mismatches: likewise of each field of `COMPARED`.
        first: the first difference of each field that has any, the earliest step of the first episode.
    """

    recording: Recording
    path: Path | None
    mismatches: int
    field_mismatches: dict[str, int]
    first: dict[str, Mismatch]

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return self.recording.num_episodes

    @property
    def steps(self) -> int:
        """Number of steps of all episodes together."""
        return self.recording.num_episodes * self.recording.num_steps

    @property
    def earliest(self) -> Mismatch | None:
        """The difference to look at first: the earliest step, and in it the field that causes the others."""
        return min(self.first.values(), key=lambda one: (one.episode, one.step), default=None)


def replay(recording: Recording, network: Network | None = None, path: Path | None = None) -> ReplayReport:
    """Play a recording again and compare every step.

    Args:
        recording: the episodes.
        network: the network to play on, None for the recording's own.
        path: the file that the recording came from, for the report.
    """
    network = recording.network if network is None else network
    given = None if recording.meta.red in REPLAYED else (recording.red_kind, recording.red_target)
    got = play_again(recording.meta, network, recording.blue_action, forced_draws(recording), given)
    differs = {name: got[name] != _expected(recording, name) for name in COMPARED}
    by_step = {name: _by_step(name, mask) for name, mask in differs.items()}
    any_field = np.logical_or.reduce(list(by_step.values()))
    return ReplayReport(
        recording=recording,
        path=path,
        mismatches=int(any_field.sum()),
        field_mismatches={name: int(mask.sum()) for name, mask in by_step.items()},
        first={
            name: _first_mismatch(name, mask, _expected(recording, name), got[name])
            for name, mask in differs.items()
            if mask.any()
        },
    )


def replay_files(paths: Sequence[Path | str]) -> Iterator[ReplayReport]:
    """Replay files one by one; all are read first, so that a wrong one is refused before anything is reported.

    Raises:
        UserError: no file is given, or one is missing, unreadable or no recording.
    """
    if not paths:
        raise UserError("No file is given; give the .npz files of recordings.")
    recordings = [(Path(path), load_recording(path)) for path in paths]
    return (replay(recording, path=path) for path, recording in recordings)


def forced_draws(recording: Recording) -> npt.NDArray[np.int8]:
    """What a recording says of every draw: (E, T, number of `Draw`) int8, `Tape.NOT_DRAWN` where none happened."""
    forced = np.empty((recording.num_episodes, recording.num_steps, len(Draw)), np.int8)
    is_drawn = np.isin(recording.red_kind, _DRAWN_TARGETS)
    forced[:, :, Draw.RED_TARGET] = np.where(is_drawn, recording.red_target, -1)
    forced[:, :, Draw.EXPLOIT] = recording.exploit
    forced[:, :, Draw.DETECTION] = recording.detected
    forced[:, :, Draw.SESSION] = recording.escalate_session
    forced[:, :, Draw.GREEN_SCAN] = recording.green_scan
    forced[:, :, Draw.DECOY] = _drawn_decoys(recording)
    forced[:, :, Draw.DOZE] = _DOZED[recording.red_kind]
    return forced


def _drawn_decoys(recording: Recording) -> npt.NDArray[np.int8]:
    """(E, T) the decoy that blue planted by an action that plants one of several; -1 where there was none."""
    network = recording.network
    codec, choices = network.codec, network.tables.decoy_choices
    is_drawn = np.array([d >= 0 and int(choices[d]) != 1 << int(d) for d in codec.decoy])[recording.blue_action]
    hosts = codec.host[recording.blue_action][:, :, None]
    before, after = (np.take_along_axis(part, hosts, axis=2)[:, :, 0] for part in _before_and_after(recording.decoys))
    new = after & ~before
    lowest = np.log2(np.where(new, new & -new.astype(np.int64), 1)).astype(np.int8)
    return np.where(is_drawn & (new != 0), lowest, -1).astype(np.int8)


def _before_and_after(states: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The states before and after each step."""
    return states[:, :-1].astype(np.int64), states[:, 1:].astype(np.int64)


def play_again(
    meta: RecordingMeta,
    network: Network,
    blue_action: npt.NDArray[np.int16],
    forced: npt.NDArray[np.int8] | None,
    given: GivenActions | None = None,
) -> Arrays:
    """Play episodes in the simulator and note them as a recording does.

    Args:
        meta: the settings; episode e has the seed `meta.seed + e` where draws are free.
        network: the network to play on.
        blue_action: (E, T) blue's actions.
        forced: (E, T, number of `Draw`) as `forced_draws` gives them, None to let the simulator draw.
        given: red's actions, None where red is one of the original's agents and chooses them itself.

    Returns:
        The arrays of a recording, and `POSSIBLE_DRAWS` (E, T).
    """
    arrays = _play_observed(meta, network, blue_action, forced, given, "corrected")
    arrays["obs_official"] = _play_observed(meta, network, blue_action, forced, given, "official")["obs"]
    return arrays


def _play_observed(
    meta: RecordingMeta,
    network: Network,
    blue_action: npt.NDArray[np.int16],
    forced: npt.NDArray[np.int8] | None,
    given: GivenActions | None,
    observation: str,
) -> Arrays:
    episodes, steps = blue_action.shape
    arrays = empty_arrays(network, episodes, steps)
    arrays["blue_action"][:] = blue_action
    arrays[POSSIBLE_DRAWS] = np.ones((episodes, steps), np.int8)
    red_agent = RedAgent.GIVEN if given is not None else REPLAYED[meta.red]
    params = make_params(red_agent, meta.rules, observation, steps, meta.green)
    states: Any = new_states(network, episodes)
    bits = np.zeros((episodes, network.num_observations), np.uint8)
    rewards = np.zeros(episodes, np.float32)
    seeds = np.uint64(meta.seed % 2**63) + np.arange(episodes, dtype=np.uint64)
    reset_batch(states, new_states(network, 1), seeds)
    _note_state(arrays, 0, states, bits)
    for step in range(steps):
        if forced is not None:
            states.forced[:] = forced[:, step]
        if given is not None:
            states.red_kind[:], states.red_target[:] = (part[:, step] for part in given)
        states.tape_fault[:] = 0
        step_batch(states, network.tables, params, blue_action[:, step].astype(np.int64), bits, rewards)
        arrays["reward"][:, step] = rewards
        arrays[POSSIBLE_DRAWS][:, step] = 1 - states.tape_fault
        for name, field in _STEP_FIELDS.items():
            arrays[name][:, step] = states[field]
        _note_state(arrays, step + 1, states, bits)
    return arrays


def _note_state(arrays: Arrays, index: int, states: Any, bits: npt.NDArray[np.uint8]) -> None:
    arrays["obs"][:, index] = bits
    arrays["user_sessions"][:, index] = states.removable + states.stubborn
    arrays["privileged_sessions"][:, index] = states.privileged
    arrays["decoys"][:, index] = states.decoys
    arrays["ot_running"][:, index] = states.stopped == 0


def _expected(recording: Recording, name: str) -> npt.NDArray[Any]:
    if name == POSSIBLE_DRAWS:
        return np.ones(recording.blue_action.shape, np.int8)
    array: npt.NDArray[Any] = getattr(recording, name)
    return array


def _has_reset(name: str) -> bool:
    return name != POSSIBLE_DRAWS and FIELDS[name].axes.startswith("T+1")


def _by_step(name: str, differs: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(E, T) whether a field differs in a step; what differs after the reset counts in the first step."""
    mask: npt.NDArray[np.bool_] = np.any(differs.reshape(*differs.shape[:2], -1), axis=2)
    if _has_reset(name):
        mask[:, 1] |= mask[:, 0]
        mask = mask[:, 1:]
    return mask


def _first_mismatch(
    name: str, differs: npt.NDArray[np.bool_], expected: npt.NDArray[Any], got: npt.NDArray[Any]
) -> Mismatch:
    episode, index, *place = (int(i) for i in np.argwhere(differs)[0])
    host: int | None = None
    values: slice | int = slice(None)
    if place:
        per_host = 4 if name in ("obs", "obs_official") else 1
        host = place[0] // per_host
        values = slice(per_host * host, per_host * (host + 1))
    return Mismatch(
        episode=episode,
        step=index if _has_reset(name) else index + 1,
        field=name,
        host=host,
        expected=tuple(np.atleast_1d(expected[episode, index])[values].tolist()),
        got=tuple(np.atleast_1d(got[episode, index])[values].tolist()),
    )
