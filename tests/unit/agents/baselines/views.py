"""What baselines are shown in tests: views of games in which little or nothing has happened."""

from collections.abc import Mapping, Sequence

import numpy as np

from cageflow.envs.agent import BlueView
from cageflow.envs.inspection import Access
from cageflow.envs.memory import BlueMemory
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind
from tests.helpers.agents import NETWORK

# Blue's table, as the four bits of a host: what was seen in this step, then what blue believes.
SCAN, EXPLOIT = (1, 0), (1, 1)
UNKNOWN, USER, PRIVILEGED = (1, 0), (0, 1), (1, 1)
QUIET, NO = (0, 0), (0, 0)

Table = Mapping[str, tuple[tuple[int, int], tuple[int, int]]]


def never() -> np.ndarray:
    raise AssertionError("it looks at what it should not")


def view(
    tables: Sequence[Table],
    step: int = 0,
    in_vain: Sequence[str] = (),
    access: Sequence[Mapping[str, Access]] | None = None,
) -> BlueView:
    """A view of as many games as there are tables.

    Args:
        tables: for each game, what blue's table says of hosts, activity and compromise; of others nothing.
        step: that comes.
        in_vain: actions that blue can know to be in vain, in all games.
        access: for each game, what red truly has; None where nobody may ask.
    """
    observations = np.zeros((len(tables), len(NETWORK.hosts), 4), np.uint8)
    for game, table in enumerate(tables):
        for host, (activity, compromise) in table.items():
            observations[game, NETWORK.hosts.index(host)] = (*activity, *compromise)
    masks = np.ones((len(tables), len(NETWORK.codec)), np.uint8)
    decoys = NETWORK.codec.kind == BlueKind.DECOY
    masks[:, decoys] = BlueMemory(GameOptions()).masks()[:, decoys]  # as at the start: where the system is right
    masks[:, [NETWORK.codec.encode(name) for name in in_vain]] = 0

    def truth() -> np.ndarray:
        if access is None:
            return never()
        levels = np.zeros((len(tables), len(NETWORK.hosts)), np.int8)
        levels[:, NETWORK.hosts.index("User0")] = Access.PRIVILEGED  # red never loses it
        for game, held in enumerate(access):
            for host, level in held.items():
                levels[game, NETWORK.hosts.index(host)] = level
        return levels

    return BlueView(step, observations.reshape(len(tables), -1), None, lambda: masks, never, truth, never)


def names(actions: np.ndarray) -> list[str]:
    """What the actions are called."""
    return [NETWORK.codec.names[action] for action in actions]
