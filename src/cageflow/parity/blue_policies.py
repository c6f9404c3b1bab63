"""Blue policies to record episodes with: simple ones, and mixes that lead the game into its corners."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from cageflow.envs.cyborg import CyborgEnv
from cageflow.errors import UserError
from cageflow.scenario import BlueKind, Network

LAZY_STEPS = 25


class BluePolicy(Protocol):
    """What chooses blue's action before each step."""

    def __call__(self, env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
        """Choose an action.

        Args:
            env: the running game, for policies that look at the true state; it must not be changed.
            observation: (F,) uint8, the corrected observation.
            step: 0 in the first step of an episode.
            rng: the policy's own generator, fresh in each episode.
        """


def flagged_hosts(observation: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """The hosts that blue believes compromised: those whose last two bits are not both 0."""
    return np.flatnonzero(observation.reshape(-1, 4)[:, 2:].any(axis=1))


def actions_of(network: Network, *kinds: BlueKind, host: int | None = None) -> npt.NDArray[np.intp]:
    """The actions of these kinds, on one host or on all."""
    codec = network.codec
    wanted = np.isin(codec.kind, kinds)
    if host is not None:
        wanted &= codec.host == host
    return np.flatnonzero(wanted)


def sleep(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Do nothing."""
    return int(actions_of(env.network, BlueKind.SLEEP)[0])


def uniform(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Take any action, all equally likely."""
    return int(rng.integers(len(env.network.codec)))


def restore(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Restore the first flagged host, else monitor."""
    return _clean_first(env, BlueKind.RESTORE, observation)


def remove(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Remove on the first flagged host, else monitor."""
    return _clean_first(env, BlueKind.REMOVE, observation)


def decoyer(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Plant decoys anywhere in two steps of three, else take any action."""
    if rng.random() < 2 / 3:
        return int(rng.choice(actions_of(env.network, BlueKind.DECOY)))
    return uniform(env, observation, step, rng)


def focused(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Take any action on a flagged host in four steps of five, else plant a decoy or look around."""
    flagged = flagged_hosts(observation)
    if len(flagged) and rng.random() < 4 / 5:
        kinds = (BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.DECOY, BlueKind.RESTORE)
        return int(rng.choice(actions_of(env.network, rng.choice(kinds), host=int(rng.choice(flagged)))))
    return int(rng.choice(actions_of(env.network, rng.choice([BlueKind.DECOY, BlueKind.ANALYSE, BlueKind.MONITOR]))))


def lazy(env: CyborgEnv, observation: npt.NDArray[np.uint8], step: int, rng: np.random.Generator) -> int:
    """Do nothing for 25 steps, then analyse, remove and restore at random."""
    if step < LAZY_STEPS:
        return sleep(env, observation, step, rng)
    return int(rng.choice(actions_of(env.network, BlueKind.ANALYSE, BlueKind.REMOVE, BlueKind.RESTORE)))


POLICIES: dict[str, BluePolicy] = {
    "random": uniform,
    "sleep": sleep,
    "restore": restore,
    "remove": remove,
    "decoyer": decoyer,
    "focused": focused,
    "lazy": lazy,
}


def find_policy(name: str) -> BluePolicy:
    """The policy of that name.

    Raises:
        UserError: there is none.
    """
    if name not in POLICIES:
        raise UserError(f"{name!r} is no policy to record with; possible are {', '.join(POLICIES)}.")
    return POLICIES[name]


def _clean_first(env: CyborgEnv, kind: BlueKind, observation: npt.NDArray[np.uint8]) -> int:
    flagged = flagged_hosts(observation)
    if len(flagged) == 0:
        return int(actions_of(env.network, BlueKind.MONITOR)[0])
    return int(actions_of(env.network, kind, host=int(flagged[0]))[0])
