"""What red remembers of a batch of games: see `cageflow.sim.red_memory` for what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.options import GameOptions
from cageflow.scenario import Network
from cageflow.scenario.reach import is_option
from cageflow.scenario.red_bits import OUTCOMES
from cageflow.sim.enums import Outcome
from cageflow.sim.handover import plain, row
from cageflow.sim.red_memory import forget, new_red_memories, remember_loop
from cageflow.sim.red_view import look_loop, mask_loop, port_places

SUCCEEDED, FAILED, REFUSED = OUTCOMES
NO_ACCESS, USER, PRIVILEGED = "none", "user", "privileged"


@dataclass(frozen=True)
class HostView:
    """What red knows of a host that it has found.

    Attributes:
        subnet: where it stands.
        is_named: red knows its name, and not only its address: it can be escalated and impacted.
        is_scanned: red has scanned it.
        ports: that red has seen open.
        exploits: that these make red think of.
        access: "privileged", "user" or "none": what red has gained and not been told to be lost. Blue may have driven
            it out all the same; and an exploit may have given privileges at once, which red is not told.
        is_explored: an escalation there has succeeded, and told red what the host knows.
        is_impacted: the last Impact there succeeded.
        failures: tries there in a row that came to nothing: exploits, escalations, impacts.
    """

    subnet: str
    is_named: bool
    is_scanned: bool
    ports: tuple[int, ...]
    exploits: tuple[str, ...]
    access: str
    is_explored: bool
    is_impacted: bool
    failures: int


@dataclass(frozen=True)
class RedView:
    """What red knows, in words: by its own actions and what they told it, and nothing else.

    Attributes:
        step: steps of the episode that are over.
        hosts: those that red has found, by name, in the order of the network.
        subnets: those that red knows.
        swept: those of which it has swept.
        shut: those of which the last sweep failed.
        services: that red has seen, and can stop by an Impact on a host that has one.
        last_action: name of what red did last, "Sleep", "scan User1" and so on; None at the start.
        last_outcome: "succeeded", "failed", "refused" where red did not know what it acted on, None where it is not
            told: of Sleep, and while an action is under way.
        steps_left: that the last action still takes; while there are any, whatever red chooses is ignored.
        actions: names of the actions that are not in vain, as far as red can know.
    """

    step: int
    hosts: dict[str, HostView]
    subnets: tuple[str, ...]
    swept: tuple[str, ...]
    shut: tuple[str, ...]
    services: tuple[str, ...]
    last_action: str | None
    last_outcome: str | None
    steps_left: int
    actions: tuple[str, ...]


class RedMemory:
    """What red remembers of a batch of games, and what it knows by that.

    Args:
        game: the settings of the game, whoever plays red in it, or its network alone.
        num_envs: B.

    Attributes:
        network: the network that is played.
        records: (B,) of `cageflow.sim.red_memory.red_memory_dtype`.
    """

    def __init__(self, game: GameOptions | Network, num_envs: int = 1) -> None:
        self.network = game if isinstance(game, Network) else game.unchecked_network
        self._nets = row(self.network.tables)
        self._initial = plain(new_red_memories(self.network, 1))
        self._ports = port_places(self.network)
        self.resize(num_envs)

    def resize(self, num_envs: int) -> None:
        """Begin new episodes, of another number of games."""
        self.records = plain(new_red_memories(self.network, num_envs))
        self._all = np.ones(num_envs, np.bool_)

    def reset(self, mask: npt.NDArray[np.bool_] | None = None) -> None:
        """Begin new episodes, in the games of a (B,) mask or in all."""
        forget(self.records, self._initial, self._all if mask is None else mask)

    def update(self, states: npt.NDArray[Any], mask: npt.NDArray[np.bool_] | None = None) -> None:
        """Take in one step, after it.

        Args:
            states: (B,) environments, of which what red knows and how its last action went are read.
            mask: (B,) bool, the games that took the step; None: all.
        """
        remember_loop(self.records, self._nets, plain(states), self._all if mask is None else mask)

    def observations(self, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """(B, F) uint8 of 0 and 1, what red sees: see `cageflow.scenario.red_bits`.

        Args:
            out: to write to, of any number type; None: a new array.
        """
        bits = np.empty((len(self.records), self.network.num_red_observations), np.uint8) if out is None else out
        look_loop(self.records, self._nets, self._ports, len(self.network.services), bits)
        return bits

    def masks(self, out: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """(B, R) bool: False where an action is certainly in vain; see `cageflow.sim.red_view`.

        Args:
            out: to write to; None: a new array.
        """
        codec = self.network.red_codec
        masks = np.empty((len(self.records), len(codec)), np.bool_) if out is None else out
        mask_loop(self.records, self._nets, codec.kinds, codec.targets, masks)
        return masks

    def view(self, env_idx: int = 0) -> RedView:
        """What red knows of one game, in words."""
        network, m = self.network, self.records.view(np.recarray)[env_idx]
        codec = network.red_codec
        mask = np.empty((1, len(codec)), np.bool_)
        mask_loop(self.records[env_idx : env_idx + 1], self._nets, codec.kinds, codec.targets, mask)
        return RedView(
            step=int(m.step),
            hosts={name: self._host(m, host) for host, name in _of_mask(network.hosts, m.known_hosts | m.known_names)},
            subnets=_names(network.subnets, m.known_subnets),
            swept=_names(network.subnets, m.swept),
            shut=_names(network.subnets, m.shut),
            services=_names(network.services, m.known_services),
            last_action=codec.names[codec.number_of(int(m.kind), int(m.target))] if m.step > 0 else None,
            last_outcome=_outcome(m),
            steps_left=int(m.left),
            actions=tuple(name for name, is_of_use in zip(codec.names, mask[0], strict=True) if is_of_use),
        )

    def _host(self, m: Any, host: int) -> HostView:
        network = self.network

        def is_in(mask: int) -> bool:
            return int(mask) >> host & 1 != 0

        ports = tuple(port for i, port in enumerate(network.ports) if int(m.ports_seen[host]) >> i & 1)
        exploits = network.scenario.exploits
        return HostView(
            subnet=network.subnets[network.tables.subnet[host]],
            is_named=is_in(m.known_names),
            is_scanned=is_in(m.scanned),
            ports=ports,
            exploits=tuple(name for name, exploit in exploits.items() if is_option(exploit, set(ports))),
            access=PRIVILEGED if is_in(m.raised) else USER if is_in(m.held) else NO_ACCESS,
            is_explored=is_in(m.explored),
            is_impacted=is_in(m.impacted),
            failures=int(m.failures[host]),
        )


def _outcome(m: Any) -> str | None:
    """How red's last action went."""
    if m.valid == 0:
        return REFUSED
    return {Outcome.TRUE: SUCCEEDED, Outcome.FALSE: FAILED}.get(Outcome(int(m.outcome)))


def _of_mask(names: tuple[str, ...], mask: int) -> list[tuple[int, str]]:
    return [(i, name) for i, name in enumerate(names) if int(mask) >> i & 1]


def _names(names: tuple[str, ...], mask: int) -> tuple[str, ...]:
    return tuple(name for _, name in _of_mask(names, mask))
