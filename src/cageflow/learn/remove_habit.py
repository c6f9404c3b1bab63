"""Units of a network that suggest a Remove where a host that was restored is held again, wired before it learns.

Under `challenge` a Restore closes for good the hole by which red took a desktop with all rights at once. Whatever gets
in afterwards is a session of a user, which Remove ends for nothing. So a Restore pays only for who removes afterwards,
and most trainings, which try a Restore without that, never find the two together. A policy that begins with the habit
keeps it where it pays, and forgets it elsewhere.
"""

from __future__ import annotations

from cageflow.learn.wiring import Bits, Units, units_of
from cageflow.scenario import BlueKind, Network

SUGGESTED = 5.0
"""What a suggested action's logit is raised by; of the 145 actions of CAGE-2, all else equal, it has half."""


def remove_habit(network: Network) -> Units:
    """The units of a network: each host that was restored and looks held is to be removed from."""
    bits = Bits(network)
    sees = {number: [bits.held(number), bits.recalled(f"restored {host}")] for number, host in enumerate(network.hosts)}
    return units_of(network, BlueKind.REMOVE, sees, SUGGESTED)
