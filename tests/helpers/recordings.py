"""Recordings that the simulator makes of itself, and parts of recordings."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cageflow.parity.recording import FIELDS, Recording, RecordingMeta, load_recording
from cageflow.parity.replay import play_again
from cageflow.scenario import Network, default_network
from tests.helpers.play import random_actions


class Sample:
    """The recordings of a folder, by their names.

    Args:
        folder: of .npz files.
    """

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*.npz"))
        self.recordings = {path.stem: load_recording(path) for path in self.files}

    def count(self, condition: Callable[[Recording], Any], **meta: object) -> int:
        """In how many places of the recordings with such settings a condition holds."""
        return sum(
            int(np.sum(condition(recording)))
            for recording in self.recordings.values()
            if all(getattr(recording.meta, name) == value for name, value in meta.items())
        )

    def num_bytes(self) -> int:
        """What its files take."""
        return sum(path.stat().st_size for path in self.files)


def record_simulator(
    rules: str = "v2.1",
    red: str = "RedMeanderAgent",
    green: bool = True,
    seed: int = 3,
    episodes: int = 4,
    steps: int = 60,
    network: Network | None = None,
) -> Recording:
    """Free episodes of the simulator under random blue actions, noted as the original's are."""
    meta = RecordingMeta(rules=rules, red=red, policy="random", seed=seed, green=green)
    actions = random_actions(seed, steps, episodes).T.astype(np.int16)
    arrays = play_again(meta, default_network() if network is None else network, actions, forced=None)
    return Recording(meta=meta, **{name: arrays[name] for name in FIELDS})


def changed(recording: Recording, field: str, place: tuple[int, ...], value: Any) -> Recording:
    """A copy with another value at one place of one field."""
    array = getattr(recording, field).copy()
    assert array[place] != value
    array[place] = value
    return dataclasses.replace(recording, **{field: array})


def episodes_of(recording: Recording, which: slice) -> Recording:
    """Some of the episodes of a recording."""
    return dataclasses.replace(recording, **{name: getattr(recording, name)[which] for name in FIELDS})


def with_seed(recording: Recording, seed: int) -> Recording:
    """The same episodes, to be played with another random stream where a draw is free."""
    return dataclasses.replace(recording, meta=dataclasses.replace(recording.meta, seed=seed))
