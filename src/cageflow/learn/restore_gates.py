"""Units of a network that forbid Restores which a red agent can make blue repeat for ever, wired before it learns on.

Nothing keeps red out of the subnet in which it begins: a host there is taken again in the step after its Restore, which
costs ten times what a step of the host does. So a unit for each of these hosts closes its Restore for good once it was
restored. Elsewhere a unit closes the Restore in the step after one of the same host, so that blue has to try something
else in between. What is closed has so much taken from its logit that it is not chosen.
"""

from __future__ import annotations

from cageflow.learn.wiring import Bits, Units, units_of
from cageflow.scenario import BlueKind, Network

CLOSED = 40.0
"""What a closed action's logit is lowered by."""


def restore_gates(network: Network) -> Units:
    """The units of a network: hosts beside red's first are restored once, others not twice in succession."""
    bits, tables, sees = Bits(network), network.tables, {}
    for number, host in enumerate(network.hosts):
        if tables.subnet[number] == tables.subnet[int(tables.start)]:
            sees[number] = [bits.recalled(f"restored {host}")]
        else:
            last = f"last action {BlueKind.RESTORE.name}", f"last action {host}"
            sees[number] = [bits.recalled(name) for name in last]
    return units_of(network, BlueKind.RESTORE, sees, -CLOSED)
