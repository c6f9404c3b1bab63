"""Plants faults in the simulator and replays the recorded steps in which they must show.

Run as a program without compilation, it plants every fault of the rules, one after the other, and prints as JSON how
many steps of its replay differ: `NUMBA_DISABLE_JIT=1 python -m tests.parity.planting`.
"""

import dataclasses
import json
from functools import cache

import numpy as np

from cageflow.parity.recording import FIELDS, Recording, load_recording
from cageflow.parity.replay import replay
from tests.helpers.planting import DATA, Fault, planted, read_faults


@dataclasses.dataclass(frozen=True)
class RecordedFault(Fault):
    """One fault of tests/data/faults.yaml, and the recording, the episode and its first steps in which it shows."""

    shows: tuple[str, int, int]


FAULTS = [RecordedFault(file=file, **fault) for file, fault in read_faults("faults.yaml")]
IN_RULES = [fault for fault in FAULTS if fault.file.endswith(".py")]
IN_NETWORK = [fault for fault in FAULTS if fault.file.endswith(".yaml")]


@cache
def _recording(name: str) -> Recording:
    return load_recording(DATA / name)


def steps_that_show(fault: RecordedFault) -> Recording:
    """The recorded steps in which a fault must show."""
    name, episode, steps = fault.shows
    recording = _recording(name)
    return dataclasses.replace(
        recording,
        **{
            field: getattr(recording, field)[episode : episode + 1, : steps + axes.axes.startswith("T+1")]
            for field, axes in FIELDS.items()
        },
    )


if __name__ == "__main__":
    found = {}
    for one in IN_RULES:
        with np.errstate(all="ignore"), planted(one):
            found[one.name] = replay(steps_that_show(one)).mismatches
    with np.errstate(over="ignore"):  # the random stream wraps, which plain NumPy scalars warn of
        sound = sum(replay(steps_that_show(one)).mismatches for one in IN_RULES)
    print(json.dumps({"found": found, "without a fault": sound}))
