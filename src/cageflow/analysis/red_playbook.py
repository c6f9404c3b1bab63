"""What a red agent does: counts over fresh episodes, of where it goes, what it waits for, and what it answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.agents.playing import play_steps
from cageflow.collect.games import GameSpec, LocalGames
from cageflow.envs.agent import BlueAgent
from cageflow.envs.game import GameBatch
from cageflow.envs.inspection import Access, accesses
from cageflow.envs.options import GameOptions
from cageflow.scenario import RedKind
from cageflow.sim.enums import Outcome

STEPS_AT_ONCE = 100_000
"""Of all episodes of a batch together."""
ROUTES, ROUTE_LENGTH = 3, 6
"""Routes that are told, and hosts of each."""
PHASES = 5
"""Parts of an episode, of equal length, for which the loss and the rest are told apart."""


@dataclass(frozen=True)
class RedPlaybook:
    """What a red agent does in N episodes against a defender; hosts by name, shares of 1.

    Attributes:
        red_agent: its name.
        episodes: N.
        max_steps: of each.
        mean: blue's mean return.
        worst: blue's return in the worst episode.
        choices: share of red's choices by `RedKind`, in its words.
        success: share of them that succeeded, by the same; kinds that were never chosen aside.
        reached: by host, the share of episodes in which red got a session there.
        first_held: by host, the mean step of the first, in the episodes with one.
        privileged: by host, the mean steps of an episode with a privileged session.
        lost: by host, points an episode lost to privileged sessions and stopped services.
        routes: hosts in the order in which they were first held, with the share of episodes that took it.
        sleep_by_phase: share of rest among the choices, in each part of the episode.
        loss_by_phase: points lost in each part.
        sleep_inside: share of rest among the choices while red holds a host beyond its first, and else.
        evictions: an episode, times that blue took the last session on a host.
        back_at_once: share of them after which red's next choice attacked the same host.
        wait_after_eviction: mean steps from one to red's next exploit.
        impacted: share of episodes in which a service was stopped.
        first_impact: mean step of the first stop, in these; None where there is none.
    """

    red_agent: str
    episodes: int
    max_steps: int
    mean: float
    worst: float
    choices: dict[str, float]
    success: dict[str, float]
    reached: dict[str, float]
    first_held: dict[str, float]
    privileged: dict[str, float]
    lost: dict[str, float]
    routes: tuple[tuple[tuple[str, ...], float], ...]
    sleep_by_phase: tuple[float, ...]
    loss_by_phase: tuple[float, ...]
    sleep_inside: tuple[float, float]
    evictions: float
    back_at_once: float
    wait_after_eviction: float
    impacted: float
    first_impact: float | None

    def to_json(self) -> dict[str, Any]:
        """The record as plain data."""
        return {**vars(self), "routes": [[list(hosts), share] for hosts, share in self.routes]}


@dataclass
class _Moves:
    """Red's side of B episodes of T steps, of a network of H hosts.

    Attributes:
        kinds, targets: (T, B) int8 what red did in each step.
        chose: (T, B) bool, whether it chose it in that step; else it was under way.
        succeeded: (T, B) bool.
        held: (T + 1, B, H) int8 of `Access`.
        down: (T, B, H) bool, whether the host's service was stopped after the step.
        rewards: (T, B) float64 of blue.
    """

    kinds: npt.NDArray[np.int8]
    targets: npt.NDArray[np.int8]
    chose: npt.NDArray[np.bool_]
    succeeded: npt.NDArray[np.bool_]
    held: npt.NDArray[np.int8]
    down: npt.NDArray[np.bool_]
    rewards: npt.NDArray[np.float64]


def red_playbook(agent: BlueAgent, options: GameOptions, seeds: npt.NDArray[np.uint64]) -> RedPlaybook:
    """Play one episode for each seed, and count what the red agent of the game does against an agent.

    Args:
        agent: plays blue.
        options: the game; its red agent is whom this is about.
        seeds: (N,) uint64, at least one.
    """
    at_once = max(1, STEPS_AT_ONCE // options.max_steps)
    parts = [
        _record(agent, GameBatch(options, 1), options, seeds[first : first + at_once])
        for first in range(0, len(seeds), at_once)
    ]
    moves = _Moves(*(np.concatenate([vars(part)[name] for part in parts], axis=1) for name in vars(parts[0])))
    return _count(moves, options, options.red_agent)


def _record(agent: BlueAgent, batch: GameBatch, options: GameOptions, seeds: npt.NDArray[np.uint64]) -> _Moves:
    network, num_steps, num_envs = options.network, options.max_steps, len(seeds)
    steps, hosts = (num_steps, num_envs), len(network.hosts)
    games = LocalGames(GameSpec(options, masked=False), batch)
    games.reset(seeds, None)
    moves = _Moves(
        kinds=np.zeros(steps, np.int8),
        targets=np.full(steps, -1, np.int8),
        chose=np.zeros(steps, np.bool_),
        succeeded=np.zeros(steps, np.bool_),
        held=np.empty((num_steps + 1, num_envs, hosts), np.int8),
        down=np.zeros((*steps, hosts), np.bool_),
        rewards=np.zeros(steps, np.float64),
    )
    moves.held[0] = accesses(batch.states)
    free = np.ones(num_envs, np.bool_)
    for step, _, rewards in play_steps(agent, games, seeds):
        states = batch.states
        moves.chose[step] = free
        moves.kinds[step], moves.targets[step] = states["red_kind"], states["red_target"]
        moves.succeeded[step] = states["red_outcome"] == Outcome.TRUE
        moves.held[step + 1] = accesses(states)
        moves.down[step] = states["stopped"][:, None] >> np.arange(hosts) & 1 != 0
        moves.rewards[step] = rewards
        free = states["red_left"] == 0
    games.close()
    return moves


def _count(moves: _Moves, options: GameOptions, name: str) -> RedPlaybook:
    network = options.network
    num_steps, num_envs = moves.kinds.shape
    start = (network.tables.start_privileged > 0) | (network.tables.start_user > 0)
    sessions = (moves.held != Access.NONE) & ~start
    tables = network.tables
    returns = moves.rewards.sum(axis=0)
    privileged = (moves.held[1:] == Access.PRIVILEGED) & (tables.start_privileged == 0)
    price = (
        privileged.sum(axis=(0, 1)) * tables.confidentiality + moves.down.sum(axis=(0, 1)) * tables.availability
    ) / 10
    choices = {_word(kind): float((moves.kinds[moves.chose] == kind).mean()) for kind in RedKind}
    ended = np.vstack(
        [moves.chose[1:], np.ones((1, num_envs), np.bool_)]
    )  # the next choice is free: the action is done
    success = {
        _word(kind): float(moves.succeeded[ended & (moves.kinds == kind)].mean())
        for kind in RedKind
        if kind != RedKind.SLEEP and (ended & (moves.kinds == kind)).any()
    }
    first = np.where(sessions.any(axis=0), sessions.argmax(axis=0), num_steps + 1)  # (B, H)
    reached = (first <= num_steps).mean(axis=0)
    down = moves.down.any(axis=2)
    first_down = np.where(down.any(axis=0), down.argmax(axis=0) + 1, 0)
    evictions, back, waits = _evictions(moves, sessions)
    inside = sessions[:-1].any(axis=2)
    sleeps = moves.kinds == RedKind.SLEEP
    bounds = np.linspace(0, num_steps, min(PHASES, num_steps) + 1).astype(int)
    phases = [slice(low, high) for low, high in zip(bounds[:-1], bounds[1:], strict=True)]
    hosts = [(i, name) for i, name in enumerate(network.hosts) if reached[i] > 0]
    return RedPlaybook(
        red_agent=name,
        episodes=num_envs,
        max_steps=num_steps,
        mean=float(returns.mean()),
        worst=float(returns.min()),
        choices=choices,
        success=success,
        reached={name: float(reached[i]) for i, name in hosts},
        first_held={name: float(first[:, i][first[:, i] <= num_steps].mean()) for i, name in hosts},
        privileged={name: float(privileged[:, :, i].sum() / num_envs) for i, name in hosts},
        lost={name: float(price[i] / num_envs) for i, name in enumerate(network.hosts) if price[i] > 0},
        routes=_routes(first, network.hosts, num_steps),
        sleep_by_phase=tuple(_share(sleeps[part], moves.chose[part]) for part in phases),
        loss_by_phase=tuple(float(-moves.rewards[part].sum() / num_envs) for part in phases),
        sleep_inside=(_share(sleeps, moves.chose & inside), _share(sleeps, moves.chose & ~inside)),
        evictions=evictions / num_envs,
        back_at_once=back,
        wait_after_eviction=waits,
        impacted=float((first_down > 0).mean()),
        first_impact=float(first_down[first_down > 0].mean()) if (first_down > 0).any() else None,
    )


def _evictions(moves: _Moves, sessions: npt.NDArray[np.bool_]) -> tuple[int, float, float]:
    """How often blue took the last session on a host, and what red did then.

    Returns:
        How often; the share after which red's next choice was to scan or to exploit the same host; the mean steps to
        its next exploit of any host, those that the end cuts off aside. Both are 0 where there is nothing to say.
    """
    num_steps = len(moves.kinds)
    attacks = (RedKind.DISCOVER_NETWORK_SERVICES, RedKind.EXPLOIT_REMOTE_SERVICE)
    lost = sessions[:-1] & ~sessions[1:]
    steps, episodes, hosts = np.nonzero(lost[:-1])
    back, counted, waits = 0, 0, []
    next_exploit = _next(moves.kinds == RedKind.EXPLOIT_REMOTE_SERVICE)
    next_choice = _next(moves.chose)
    for step, episode, host in zip(steps + 1, episodes, hosts, strict=True):
        chosen = next_choice[step, episode]
        if chosen < num_steps:
            counted += 1
            back += bool(moves.kinds[chosen, episode] in attacks and moves.targets[chosen, episode] == host)
        if next_exploit[step, episode] < num_steps:
            waits.append(next_exploit[step, episode] - step + 1)
    return int(lost.sum()), back / counted if counted else 0.0, float(np.mean(waits)) if waits else 0.0


def _next(happens: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(T, B) the first step from each on in which something happens; T where it does not happen again."""
    num_steps = len(happens)
    places = np.where(happens, np.arange(num_steps)[:, None], num_steps)
    following: npt.NDArray[np.int64] = np.minimum.accumulate(places[::-1])[::-1]
    return following


def _routes(
    first: npt.NDArray[np.int64], hosts: tuple[str, ...], num_steps: int
) -> tuple[tuple[tuple[str, ...], float], ...]:
    """The commonest orders in which hosts were first held, (B, H) steps; num_steps + 1 for never."""
    taken = Counter(
        tuple(hosts[i] for i in np.argsort(row, kind="stable") if row[i] <= num_steps)[:ROUTE_LENGTH] for row in first
    )
    return tuple((route, times / len(first)) for route, times in taken.most_common(ROUTES))


def _share(part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_]) -> float:
    return float(part[whole].mean()) if whole.any() else 0.0


def _word(kind: RedKind) -> str:
    return WORDS[kind]


WORDS = {
    RedKind.SLEEP: "rest",
    RedKind.DISCOVER_REMOTE_SYSTEMS: "sweep",
    RedKind.DISCOVER_NETWORK_SERVICES: "scan",
    RedKind.EXPLOIT_REMOTE_SERVICE: "exploit",
    RedKind.PRIVILEGE_ESCALATE: "escalate",
    RedKind.IMPACT: "impact",
}
"""What red does, in a word."""
