"""Recorded episodes of the original: what a file holds, how it is read and written.

A recording is one compressed NumPy archive. It holds E episodes of T steps of one red agent against
one blue policy under one rule set, with every chance outcome that mattered. `FIELDS` lists its
arrays; beside them stands `meta`, a JSON string with the settings, the names behind every index and,
where it is not CAGE-2's, the network. Axes: E episodes, T steps, H hosts, F observation values, 13
and 52 in CAGE-2. An axis written T+1 begins with the state after the reset.
"""

import json
import math
import os
import re
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import RULES
from cageflow.errors import UserError
from cageflow.reading import parse_json
from cageflow.scenario import Network, NetworkIdentity, RedKind, default_network, is_cage2
from cageflow.scenario.cyborg.importing import import_text
from cageflow.scenario.named import with_known_name
from cageflow.scenario.names import shorten
from cageflow.scenario.red_agents import BUILT_IN
from cageflow.scenario.schema import parse_scenario

NETWORK, SCENARIO, FILE = "network", "scenario", "file"
"""Entries of `meta` that say which network was recorded; `file` stands within `network`, which may be its text too."""
SETTINGS = {"rules": str, "red": str, "policy": str, "seed": int, "green": bool}
"""The other entries of `meta`, besides the names behind every index."""

Int8 = npt.NDArray[np.int8]
UInt8 = npt.NDArray[np.uint8]


class Field(NamedTuple):
    """One array of a recording.

    Attributes:
        axes: the axes after E, with commas between them.
        dtype: what it holds.
        low: its least possible value.
        high: its greatest, or the name of the list in `meta` that it is an index into.
    """

    axes: str
    dtype: type[np.generic]
    low: int
    high: int | str


FIELDS = {
    "blue_action": Field("T", np.int16, 0, "actions"),
    "red_kind": Field("T", np.int8, 0, max(RedKind)),
    "red_target": Field("T", np.int8, -1, "hosts"),
    "red_valid": Field("T", np.int8, 0, 1),
    "exploit": Field("T", np.int8, -1, "exploits"),
    "detected": Field("T", np.int8, -1, 1),
    "escalate_session": Field("T", np.int8, -1, 127),
    "green_scan": Field("T", np.int8, -1, "hosts"),
    "obs": Field("T+1,F", np.uint8, 0, 1),
    "obs_official": Field("T+1,F", np.uint8, 0, 1),
    "reward": Field("T", np.float32, -10_000, 10_000),
    "red_success": Field("T", np.int8, 0, 2),
    "blue_success": Field("T", np.int8, 0, 2),
    "user_sessions": Field("T+1,H", np.uint8, 0, 255),
    "privileged_sessions": Field("T+1,H", np.uint8, 0, 255),
    "decoys": Field("T+1,H", np.uint8, 0, 255),
    "ot_running": Field("T+1", np.uint8, 0, 1),
}


_RED_CLASS = re.compile(r"[^/\\]{1,200}\.py:\w{1,200}")
"""What a recording calls a red agent that is a class of a file, without its folder."""
MAX_BYTES = 4 * 1024**3
"""Of the arrays of a recording; a million steps take 130 MB."""
_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def index_names(network: Network) -> dict[str, tuple[str, ...]]:
    """The names behind every index of a recording: `hosts`, `subnets`, `exploits`, `decoys`, `actions`."""
    return {
        "hosts": network.hosts,
        "subnets": network.subnets,
        "exploits": network.exploits,
        "decoys": network.decoys,
        "actions": network.codec.names,
    }


def array_shape(name: str, network: Network, episodes: int, steps: int) -> tuple[int, ...]:
    """The shape of an array of a recording of `episodes` episodes of `steps` steps."""
    sizes = {"T": steps, "T+1": steps + 1, "H": len(network.hosts), "F": network.num_observations}
    return (episodes, *(sizes[axis] for axis in FIELDS[name].axes.split(",")))


def empty_arrays(network: Network, episodes: int, steps: int) -> dict[str, npt.NDArray[Any]]:
    """New arrays for a recording, filled with -1 where that stands for nothing and with 0 elsewhere."""
    return {
        name: np.full(array_shape(name, network, episodes, steps), -1 if field.low == -1 else 0, field.dtype)
        for name, field in FIELDS.items()
    }


@dataclass(frozen=True)
class RecordingMeta:
    """The settings of a recording.

    Attributes:
        rules: "v2.1" or "challenge".
        red: name of the red agent, CybORG's own or another that is built in; "FILE.py:Class" of a class.
        policy: name of the blue policy, for the reader only.
        seed: seed of the first episode.
        green: whether the green agent acted.
        scenario: text of the original's scenario file, None for CAGE-2's or where `network_file` is given.
        network_file: text of a network file of ours, likewise.
    """

    rules: str
    red: str
    policy: str
    seed: int
    green: bool
    scenario: str | None = None
    network_file: str | None = None

    @cached_property
    def played_on(self) -> Network:
        """The network.

        Raises:
            UserError: the text of it is none.
        """
        if self.scenario is not None:
            return Network(with_known_name(import_text(self.scenario, "its scenario")))
        if self.network_file is not None:
            return Network(parse_scenario(self.network_file, "its network"))
        return default_network()


@dataclass(frozen=True, eq=False)
class Recording:
    """Episodes with every chance outcome, checked when made; the lists are those of `index_names`.

    Attributes:
        meta: the settings.
        blue_action: (E, T) index into `actions`.
        red_kind: (E, T) index into `RedKind`.
        red_target: (E, T) index into `subnets` for DiscoverRemoteSystems, into `hosts` otherwise,
            -1 for none.
        red_valid: (E, T) 0 where CybORG replaced red's action by an invalid one.
        exploit: (E, T) index into `exploits` of the exploit that ExploitRemoteService drew, -1 where
            none was tried.
        detected: (E, T) whether a new reverse shell was seen: 1 seen, 0 missed, -1 not drawn.
        escalate_session: (E, T) position among red's sessions on the host of the one that
            PrivilegeEscalate drew, oldest first; -1 where not drawn.
        green_scan: (E, T) host that green port-scanned, -1 for none.
        obs: (E, T+1, F) the corrected observation.
        obs_official: (E, T+1, F) the official observation.
        reward: (E, T) blue's reward, one decimal.
        red_success: (E, T) 0 false, 1 true, 2 unknown.
        blue_success: (E, T) likewise.
        user_sessions: (E, T+1, H) number of red sessions that are not privileged.
        privileged_sessions: (E, T+1, H) number of red sessions of user `root` or `SYSTEM`.
        decoys: (E, T+1, H) bit i is set while a process of `decoys[i]` is alive.
        ot_running: (E, T+1) whether the goal's service runs, Op_Server0's OTService in CAGE-2.

    Raises:
        ValueError: an array has another shape, dtype or range than `FIELDS` says, or `meta` names an
            unknown rule set or red agent.
        UserError: the text of the network in `meta` is none.
    """

    meta: RecordingMeta
    blue_action: npt.NDArray[np.int16]
    red_kind: Int8
    red_target: Int8
    red_valid: Int8
    exploit: Int8
    detected: Int8
    escalate_session: Int8
    green_scan: Int8
    obs: UInt8
    obs_official: UInt8
    reward: npt.NDArray[np.float32]
    red_success: Int8
    blue_success: Int8
    user_sessions: UInt8
    privileged_sessions: UInt8
    decoys: UInt8
    ot_running: UInt8

    @property
    def network(self) -> Network:
        """What was played on."""
        return self.meta.played_on

    @property
    def num_episodes(self) -> int:
        """E, the number of episodes."""
        return len(self.blue_action)

    @property
    def num_steps(self) -> int:
        """T, the number of steps of each episode."""
        return int(self.blue_action.shape[1])

    def __post_init__(self) -> None:
        if self.meta.rules not in RULES:
            raise ValueError(f"its rules are {self.meta.rules!r}, possible are {', '.join(RULES)}")
        if self.meta.red not in BUILT_IN and _RED_CLASS.fullmatch(self.meta.red) is None:
            possible = f"{', '.join(BUILT_IN)} and FILE.py:Class"
            raise ValueError(f"its red agent is {shorten(self.meta.red)}, possible are {possible}")
        if self.blue_action.ndim != 2 or 0 in self.blue_action.shape:
            raise ValueError(
                f"expected blue_action (episodes, steps) with at least one of each, got {self.blue_action.shape}"
            )
        for name, field in FIELDS.items():
            self._check(name, field)
        num_subnets = len(self.network.subnets)
        sweeps = self.red_kind == RedKind.DISCOVER_REMOTE_SYSTEMS
        if np.any(self.red_target[sweeps] >= num_subnets):
            raise ValueError(f"red_target of a DiscoverRemoteSystems is not below {num_subnets}")

    def _check(self, name: str, field: Field) -> None:
        shape = array_shape(name, self.network, self.num_episodes, self.num_steps)
        array = getattr(self, name)
        if array.shape != shape or array.dtype != field.dtype:
            expected = f"{shape} {np.dtype(field.dtype)}"
            raise ValueError(f"expected {name} {expected}, got {array.shape} {array.dtype}")
        high = len(index_names(self.network)[field.high]) - 1 if isinstance(field.high, str) else field.high
        within = (array >= field.low) & (array <= high)
        if not within.all():
            raise ValueError(f"{name} holds {array[~within][0]}, possible is {field.low} to {high}")


def load_recording(path: Path | str) -> Recording:
    """Read a recording.

    Args:
        path: the `.npz` file; nothing in it is unpickled.

    Raises:
        UserError: the file is missing, unreadable or no recording.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is no file; give the .npz file of a recording.")
    try:
        with path.open("rb") as file:
            _check_sizes(file)
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            arrays = {name: archive[name] for name in archive.files}
    except _UNREADABLE as error:
        raise UserError(f"{path} cannot be read as an .npz file of recorded episodes: {str(error)[:200]}") from error
    missing = [name for name in ("meta", *FIELDS) if name not in arrays]
    if missing:
        raise UserError(f"{path} is no recording of episodes: it lacks {', '.join(missing)}.")
    try:
        meta = _parse_meta(arrays["meta"])
        return Recording(meta=meta, **{name: arrays[name] for name in FIELDS})
    except (UserError, ValueError) as error:
        raise UserError(f"{path} is no recording of episodes: {str(error)[:500].rstrip('.')}.") from error


_UNREADABLE = (
    *(OSError, EOFError, ValueError, LookupError, NotImplementedError, RuntimeError, SyntaxError, TypeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),
)
"""What NumPy and the zip reader raise over a damaged file."""


def _check_sizes(file: BinaryIO) -> None:
    """Refuse an archive whose arrays say that they are larger than what stands in it, before memory is asked for.

    Raises:
        ValueError: it is so, or all of it would take more than MAX_BYTES.
    """
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise ValueError(f"unpacked it has more than {MAX_BYTES:,} bytes")
        for entry in entries:
            with archive.open(entry) as member:
                version = np.lib.format.read_magic(member)
                reader = _HEADER_READERS.get(version)
                if reader is None:
                    raise ValueError(f"{entry.filename} is of a format that is not known")
                shape, _, dtype = reader(member)
                if dtype.hasobject or math.prod(shape) * dtype.itemsize != entry.file_size - member.tell():
                    raise ValueError(f"{entry.filename} does not hold the {shape} {dtype} that its header says")
    file.seek(0)


def save_recording(path: Path | str, recording: Recording) -> None:
    """Write a recording whole or not at all; a file that stands there is replaced.

    Args:
        path: the `.npz` file to write; its folder must exist.
        recording: what to write.

    Raises:
        UserError: the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    meta = json.dumps(
        {name: getattr(recording.meta, name) for name in SETTINGS}
        | {name: list(names) for name, names in index_names(recording.network).items()}
        | _network_entries(recording.meta)
    )
    arrays: dict[str, Any] = {name: getattr(recording, name) for name in FIELDS}
    try:
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, meta=np.array(meta), **arrays)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


def _parse_meta(array: npt.NDArray[Any]) -> RecordingMeta:
    """Read the JSON of `meta` and check the names behind the indexes.

    Names are compared without surrounding blanks: some files write `Sleep ` for `Sleep`.

    Raises:
        ValueError: it is no JSON object, lacks a setting, or its names are not those of `index_names`.
    """
    if array.shape != () or array.dtype.kind != "U":
        raise ValueError(f"expected meta to be one string, got {array.shape} {array.dtype}")
    meta = parse_json(str(array))
    if not isinstance(meta, dict):
        raise ValueError("meta is no JSON object")
    for name, kind in SETTINGS.items():
        if type(meta.get(name)) is not kind:
            raise ValueError(f"meta says {name} is {meta.get(name)!r}, expected {kind}")
    read = RecordingMeta(**{name: meta[name] for name in SETTINGS} | _read_network(meta))
    for name, expected in index_names(read.played_on).items():
        given = meta.get(name)
        if not isinstance(given, list) or [str(item).strip() for item in given] != list(expected):
            raise ValueError(f"the {name} in meta are not the {len(expected)} of its network in order")
    return read


def _network_entries(meta: RecordingMeta) -> dict[str, Any]:
    """What the JSON says of the network: which it is and, where it is not CAGE-2's, its text."""
    identity = meta.played_on.identity.to_json()
    if meta.scenario is not None:
        return {NETWORK: identity, SCENARIO: meta.scenario}
    return {NETWORK: identity if meta.network_file is None else identity | {FILE: meta.network_file}}


def _read_network(meta: dict[str, Any]) -> dict[str, str | None]:
    """The texts of the network, from what the JSON says; files of earlier versions say nothing, and are CAGE-2's."""
    entry, scenario = meta.get(NETWORK), meta.get(SCENARIO)
    text = entry.get(FILE) if isinstance(entry, dict) else entry
    for name, value in ((SCENARIO, scenario), (NETWORK, text)):
        if not isinstance(value, str | None):
            raise ValueError(f"meta says {name} is {shorten(value)}, expected the text of a file")
    if isinstance(entry, dict) and scenario is None and text is None:
        network = NetworkIdentity.from_json(entry)
        if not is_cage2(network):
            raise ValueError(f"it is of the network {network}, whose text it lacks")
    return {"scenario": scenario, "network_file": text}
