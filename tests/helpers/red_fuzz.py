"""Red players that try out the rules: towards the goal with interruptions, over and over on one host, or anything."""

import numpy as np
import numpy.typing as npt

from cageflow.envs.red_memory import RedMemory
from cageflow.scenario import RedKind

ORDER = (
    RedKind.IMPACT,
    RedKind.PRIVILEGE_ESCALATE,
    RedKind.EXPLOIT_REMOTE_SERVICE,
    RedKind.DISCOVER_NETWORK_SERVICES,
    RedKind.DISCOVER_REMOTE_SYSTEMS,
)


class RestlessRed:
    """Red goes for all it can take, and is interrupted.

    For each episode it draws how often it does something that may be in vain, how often it repeats itself, how often
    it comes back to what it has done before, and how it likes the order of its kinds of actions.
    """

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin an episode; all games share one stream."""
        self.rng = np.random.default_rng(seeds)
        self.perverse = self.rng.choice([0.0, 0.05, 0.2, 0.5, 0.9])
        self.repeating = self.rng.choice([0.0, 0.1, 0.5, 0.9])
        self.again = self.rng.choice([0.0, 0.1, 0.4])
        self.order = list(ORDER) if self.rng.random() < 0.7 else list(self.rng.permutation(ORDER))
        self.last = 0

    def act(self, memory: RedMemory, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.int16]:
        """(B,) numbers of red actions; those of the first game decide."""
        self.last = self.choose(memory)
        return np.full(len(free), self.last, np.int16)

    def choose(self, memory: RedMemory) -> int:
        """The number of a red action in the first game."""
        codec, rng = memory.network.red_codec, self.rng
        if rng.random() < self.perverse:
            return int(rng.integers(len(codec)))
        if rng.random() < self.repeating:
            return self.last
        useful = memory.masks()[0]
        useful[0] = False
        new = useful & self.is_new(memory)
        if rng.random() < self.again or not new.any():
            return int(rng.choice(np.flatnonzero(useful))) if useful.any() else 0
        kind = next(kind for kind in self.order if (new & (codec.kinds == kind)).any())
        return int(rng.choice(np.flatnonzero(new & (codec.kinds == kind))))

    def is_new(self, memory: RedMemory) -> npt.NDArray[np.bool_]:
        """(R,) bool: what red has not done yet, or has to do again."""
        m, codec = memory.records.view(np.recarray)[0], memory.network.red_codec
        done = {
            RedKind.SLEEP: -1,
            RedKind.DISCOVER_REMOTE_SYSTEMS: int(m.swept),
            RedKind.DISCOVER_NETWORK_SERVICES: int(m.scanned),
            RedKind.EXPLOIT_REMOTE_SERVICE: int(m.held),
            RedKind.PRIVILEGE_ESCALATE: int(m.raised),
            RedKind.IMPACT: 0,
        }
        targets = np.maximum(codec.targets, 0)
        return np.array([done[RedKind(int(k))] >> int(t) & 1 == 0 for k, t in zip(codec.kinds, targets, strict=True)])


class ShutOutRed(RestlessRed):
    """Red makes for the goal, and from when it knows a guarded subnet on keeps knocking there, open or not."""

    def begin(self, seeds: npt.NDArray[np.uint64], mask: npt.NDArray[np.bool_]) -> None:
        """Begin an episode."""
        super().begin(seeds, mask)
        self.perverse, self.repeating, self.again, self.order = 0.05, 0.0, 0.1, list(ORDER)

    def choose(self, memory: RedMemory) -> int:
        """The number of a red action in the first game."""
        m, net, codec = memory.records.view(np.recarray)[0], memory.network.tables, memory.network.red_codec
        guarded = [i for i, is_open in enumerate(net.is_open) if not is_open and int(m.known_subnets) >> i & 1]
        if not guarded or self.rng.random() > 0.4:
            return super().choose(memory)
        is_sweep = codec.kinds == RedKind.DISCOVER_REMOTE_SYSTEMS
        targets = np.maximum(codec.targets, 0)
        inside = np.where(is_sweep, np.isin(targets, guarded), np.isin(net.subnet[targets], guarded))
        return int(self.rng.choice(np.flatnonzero(inside & (codec.kinds != RedKind.SLEEP))))
