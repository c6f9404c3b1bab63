"""What hosts are worth to blue, told from the published network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cageflow.scenario import Network


def host_worth(network: Network) -> npt.NDArray[np.int64]:
    """(H,) int64, in tenths of a reward: what a step costs on which red has all it can have on a host.

    That is a privileged session, and where there is a service, that it is down besides.
    """
    tables = network.tables
    worth: npt.NDArray[np.int64] = np.asarray(tables["confidentiality"], np.int64) + tables["availability"]
    return worth


def restore_cost(network: Network) -> int:
    """What a Restore costs, in tenths of a reward."""
    return int(network.tables["restore_cost"])
