"""What really holds on the network, the same record for every simulator."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class TrueState(NamedTuple):
    """Who has which session on which host, and what runs there. Blue never sees this; H hosts in table order.

    Attributes:
        user_sessions: (H,) uint8, red sessions that are not privileged.
        privileged_sessions: (H,) uint8, red sessions of the privileged user.
        decoys: (H,) uint8, bit i is set while a process of the network's `decoys[i]` is alive.
        ot_running: whether the service that Impact stops runs.
    """

    user_sessions: npt.NDArray[np.uint8]
    privileged_sessions: npt.NDArray[np.uint8]
    decoys: npt.NDArray[np.uint8]
    ot_running: bool
