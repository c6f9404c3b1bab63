"""The playbook: what fresh episodes of a run's best policy come to, kept in the run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow import __version__
from cageflow.agents.baselines import BASELINES
from cageflow.agents.policy_agent import PolicyAgent
from cageflow.analysis.intrusions import STILL_OPEN, find_intrusions
from cageflow.analysis.replay import Replay
from cageflow.analysis.replaying import replay_episodes
from cageflow.analysis.rules import find_rules
from cageflow.analysis.tallies import (
    count_actions,
    count_fixes,
    count_held_steps,
    count_opening,
    count_responses,
    price,
)
from cageflow.analysis.traces import Trace, trace_episodes
from cageflow.analysis.turns import NOTHING_DUE, Departure, find_turns
from cageflow.collect.games import GameSpec, WorkflowSpec
from cageflow.envs.agent import BlueAgent
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.evaluation.perturbed import perturbed_of, perturbed_shares
from cageflow.evaluation.work import play_share
from cageflow.files import write_whole
from cageflow.learn.fit import check_fit
from cageflow.learn.policy import Policy
from cageflow.reading import read_json
from cageflow.runs.saved_run import SavedRun
from cageflow.workflow.tested import OrderTests

FILE = "playbook.json"
FORMAT_VERSION = 7
ROLES = {"good": 0.95, "median": 0.5, "bad": 0.05}
"""The example episodes, and the share of all episodes that end no better."""
EXAMPLES_OF_A_KIND = 3
STREAM = "report"
RULES_STREAM = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEpisode:
    """An episode to look at.

    Attributes:
        role: one of ROLES.
        share: of all episodes that ended lower.
        replay: what happened in it.
    """

    role: str
    share: float
    replay: Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """What a policy does in N episodes. Sums are over all of them; hosts, actions and unit types by number.

    Attributes:
        made_of: what decides all the rest: policy, game, workflow, seed, versions.
        hosts: names.
        host_types: unit type of each host.
        decoys: names of blue's decoys.
        action_names: of all actions.
        action_kinds, action_hosts, action_decoys: `BlueKind`, host and decoy of each action, -1 for none.
        returns: of each episode.
        compliance: of each episode; empty without a workflow.
        idle_returns: of the same episodes, had blue done nothing.
        actions: how often each was begun.
        busy_steps: in which all crews were busy when it chose.
        opening: the same for each of the first steps.
        held_steps: (2, H) steps that red held a host, at user level and privileged.
        fixes: (2, 2, H) Removes and Restores by whether red held the host before.
        responses: (H, responses) what blue did in the step after an alarm on a host.
        intrusions: how many on each host.
        first_fix: for each host how many intrusions met their first fix after so many steps, as (steps, intrusions).
        eviction: the same for the end of the intrusion; -1 steps: the episode ended before.
        lost_tenths: (H,) points lost to red's privileged sessions.
        lost_service_tenths: (H,) to services that were down.
        lost_restore_tenths: (H,) to blue's Restores.
        turns: (n + 1, n) fixes by the type that was due (the last: none was) and the type that was fixed; empty without
            a workflow.
        departures_on_clean: fixes out of turn of hosts that red did not hold.
        departures: some of them.
        examples: a good, a median and a bad episode.
        tests: which fixes tested the workflow, the fields of `workflow.tested.OrderTests`; empty without a workflow.
        perturbed: what the policy came to from perturbed starts, as `evaluation.perturbed.Perturbed` says it; likewise.
        rules: what it does in a few rules, as `analysis.rules.FittedRules` says it.
    """

    made_of: dict[str, Any]
    hosts: list[str]
    host_types: list[int]
    decoys: list[str]
    action_names: list[str]
    action_kinds: list[int]
    action_hosts: list[int]
    action_decoys: list[int]
    returns: list[float]
    compliance: list[float]
    idle_returns: list[float]
    actions: list[int]
    busy_steps: int
    opening: list[list[int]]
    held_steps: list[list[int]]
    fixes: list[list[list[int]]]
    responses: list[list[int]]
    intrusions: list[int]
    first_fix: list[list[list[int]]]
    eviction: list[list[list[int]]]
    lost_tenths: list[int]
    lost_service_tenths: list[int]
    lost_restore_tenths: list[int]
    turns: list[list[int]]
    departures_on_clean: int
    departures: list[Departure]
    examples: list[ExampleEpisode]
    tests: dict[str, Any]
    perturbed: dict[str, Any]
    rules: dict[str, Any]

    @property
    def num_episodes(self) -> int:
        """N."""
        return len(self.returns)

    def to_json(self) -> dict[str, Any]:
        """The playbook as plain data for `json.dump`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Playbook:
        """Read what `to_json` wrote.

        Raises:
            ValueError: an entry is missing or unknown.
        """
        if data.keys() != {field.name for field in fields(cls)}:
            raise ValueError("other entries than those of a playbook")
        try:
            examples = [
                ExampleEpisode(**{**one, "replay": Replay.from_json(one["replay"])}) for one in data["examples"]
            ]
            departures = [Departure(**{**one, "held": tuple(one["held"])}) for one in data["departures"]]
        except (TypeError, KeyError) as error:
            raise ValueError(f"an entry that is none of a playbook: {error}") from error
        return cls(**{**data, "examples": examples, "departures": departures})


def saved_playbook(run: SavedRun, policy: Policy, episodes: int, seed: int) -> tuple[Playbook, bool]:
    """The playbook of a run's best policy: the one in its folder where that is still right, else a new one.

    Args:
        run: the run.
        policy: its best policy.
        episodes: to play.
        seed: of them.

    Returns:
        The playbook, and whether it was played anew.

    Raises:
        UserError: the policy does not fit the run's game.
        OSError: a new one cannot be written.
    """
    path = run.path / FILE
    made_of = _made_of(run, episodes, seed)
    kept = _read(path)
    if kept is not None and kept.made_of == made_of:
        return kept, False
    playbook = make_playbook(policy, run.game, workflow_of(run), made_of, episodes, seed)
    write_whole(path, (json.dumps(playbook.to_json(), separators=(",", ":")) + "\n").encode())
    return playbook, True


def workflow_of(run: SavedRun) -> WorkflowSpec | None:
    """The workflow that the best policy's fixes are judged by."""
    order = run.order
    return None if order is None else WorkflowSpec(order, 0.0, run.config.compliance_definition)


def make_playbook(
    policy: Policy,
    options: GameOptions,
    workflow: WorkflowSpec | None,
    made_of: dict[str, Any],
    episodes: int,
    seed: int,
) -> Playbook:
    """Play fresh episodes and count.

    Raises:
        UserError: the policy does not fit the game.
    """
    network = options.network
    agent = fitting_agent(policy, options, "put the run's own files back")
    seeds = EpisodeStream(seed, STREAM).seeds(0, episodes)
    sums: dict[str, Any] = {}
    returns: list[float] = []
    compliance: list[float] = []
    intrusions: list[tuple[npt.NDArray[np.int64], ...]] = []
    on_clean = 0
    tests: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]] = []
    departures: dict[tuple[int, int], list[Departure]] = {}
    for trace in trace_episodes(agent, options, seeds, workflow):
        held, down, restores = price(network, trace)
        parts = {
            "actions": count_actions(network, trace),
            "busy": int(trace.busy.sum()),
            "opening": count_opening(network, trace),
            "held_steps": count_held_steps(trace),
            "fixes": count_fixes(network, trace),
            "responses": count_responses(network, trace),
            "lost_tenths": held,
            "lost_service_tenths": down,
            "lost_restore_tenths": restores,
        }
        if workflow is not None:
            turns = find_turns(network, trace, workflow.order, len(returns), EXAMPLES_OF_A_KIND)
            parts["turns"] = turns.counts
            on_clean += turns.on_clean
            for kind, found in turns.examples.items():
                kept = departures.setdefault(kind, [])
                kept += found[: EXAMPLES_OF_A_KIND - len(kept)]
            compliance += trace.compliance.tolist()
            tests.append((trace.tests, trace.contests))
        sums = {name: part + sums.get(name, 0) for name, part in parts.items()}
        intrusions.append(tuple(find_intrusions(network, trace)))
        returns += trace.returns.tolist()
    hosts, first_fix, eviction = (np.concatenate(parts) for parts in zip(*intrusions, strict=True))
    counts = np.bincount(hosts, minlength=len(network.hosts))
    turn_counts = sums.pop("turns", np.zeros((0, 0), np.int64))
    return Playbook(
        made_of=made_of,
        hosts=list(network.hosts),
        host_types=network.host_unit_type.tolist(),
        decoys=list(network.scenario.decoys),
        action_names=list(network.codec.names),
        action_kinds=network.codec.kind.tolist(),
        action_hosts=network.codec.host.tolist(),
        action_decoys=network.codec.decoy.tolist(),
        returns=returns,
        compliance=compliance,
        idle_returns=idle_returns(options, seeds),
        intrusions=counts.tolist(),
        first_fix=_histograms(hosts, first_fix, len(network.hosts)),
        eviction=_histograms(hosts, eviction, len(network.hosts)),
        turns=turn_counts.tolist(),
        departures_on_clean=on_clean,
        departures=[one for _, found in _most_first(departures, turn_counts) for one in found],
        tests=_tests(tests),
        perturbed={} if workflow is None else _perturbed(agent, options, workflow, episodes, seed),
        rules=_rules(agent, options, episodes, seed, policy.card.memory),
        examples=_examples(agent, options, seeds, returns, workflow),
        actions=sums["actions"].tolist(),
        busy_steps=sums["busy"],
        opening=sums["opening"].tolist(),
        held_steps=sums["held_steps"].tolist(),
        fixes=sums["fixes"].tolist(),
        responses=sums["responses"].tolist(),
        lost_tenths=sums["lost_tenths"].tolist(),
        lost_service_tenths=sums["lost_service_tenths"].tolist(),
        lost_restore_tenths=sums["lost_restore_tenths"].tolist(),
    )


def fitting_agent(policy: Policy, options: GameOptions, cure: str | None = None) -> PolicyAgent:
    """The policy as an agent of a game.

    Args:
        policy: the policy.
        options: the game.
        cure: what a user is to do where it was not made for it; as for `check_fit`.

    Raises:
        UserError: it was not made for the game.
    """
    check_fit(policy, options.blue_setting, "the policy", cure)
    return PolicyAgent(policy)


def returns_of(agent: BlueAgent, options: GameOptions, seeds: npt.NDArray[np.uint64]) -> list[float]:
    """What the episodes of some seeds come to with another agent."""
    parts: list[Trace] = list(trace_episodes(agent, options, seeds, None))
    return [value for part in parts for value in part.returns.tolist()]


def idle_returns(options: GameOptions, seeds: npt.NDArray[np.uint64]) -> list[float]:
    """What they come to when blue does nothing."""
    return returns_of(BASELINES["sleep"](options.blue_setting), options, seeds)


def _examples(
    agent: BlueAgent,
    options: GameOptions,
    seeds: npt.NDArray[np.uint64],
    returns: Sequence[float],
    workflow: WorkflowSpec | None,
) -> list[ExampleEpisode]:
    """One episode for each role, played again."""
    ranked = np.argsort(returns, kind="stable")
    places = [round(share * (len(ranked) - 1)) for share in ROLES.values()]
    titles = [f"A {role} episode" for role in ROLES]
    replays = replay_episodes(agent, options, seeds[ranked[places]], workflow, titles=titles)
    return [
        ExampleEpisode(role=role, share=place / max(1, len(ranked) - 1), replay=replay)
        for role, place, replay in zip(ROLES, places, replays, strict=True)
    ]


def _tests(parts: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]) -> dict[str, Any]:
    """The facts of all episodes' tests, as JSON reads them back."""
    if not parts:
        return {}
    counts, contests = (np.concatenate(some) for some in zip(*parts, strict=True))
    facts = OrderTests.of(counts, contests).facts()
    return {**facts, "contests": [list(row) for row in facts["contests"]]}


def _perturbed(
    agent: BlueAgent, options: GameOptions, workflow: WorkflowSpec, episodes: int, seed: int
) -> dict[str, Any]:
    """What an agent comes to from perturbed starts, in a fifth as many episodes of each."""
    shares = perturbed_shares([GameSpec(options, masked=True)], seed, max(2, episodes // 5), workflow)
    rule = BASELINES["flagged"](options.blue_setting)
    mine, its = ({share.cell: play_share(who, share) for share in shares} for who in (agent, rule))
    return perturbed_of(shares, mine, its).to_json()


def _rules(agent: PolicyAgent, options: GameOptions, episodes: int, seed: int, memory: bool) -> dict[str, Any]:
    """What an agent does in a few rules, fitted to and held against a fifth as many episodes each."""
    part = max(2, episodes // 5)
    seeds = EpisodeStream(seed, RULES_STREAM).seeds(0, 2 * part)
    return find_rules(agent, options, fit=seeds[:part], fresh=seeds[part:], memory=memory).to_json()


def _histograms(hosts: npt.NDArray[np.int64], steps: npt.NDArray[np.int64], num_hosts: int) -> list[list[list[int]]]:
    """For each host (steps, intrusions), by steps; STILL_OPEN stands first."""
    result = []
    for host in range(num_hosts):
        values, counts = np.unique(steps[hosts == host], return_counts=True)
        result.append([list(pair) for pair in zip(values.tolist(), counts.tolist(), strict=True)])
    return result


def _most_first(
    departures: dict[tuple[int, int], list[Departure]], counts: npt.NDArray[np.int64]
) -> list[tuple[tuple[int, int], list[Departure]]]:
    return sorted(departures.items(), key=lambda item: -int(counts[item[0]]))


def _made_of(run: SavedRun, episodes: int, seed: int) -> dict[str, Any]:
    """All that a playbook depends on, as JSON reads it back."""
    options, workflow = run.game, workflow_of(run)
    game = {name: value for name, value in options.as_kwargs().items() if name != "scenario"}
    return {
        "format_version": FORMAT_VERSION,
        "cageflow_version": __version__,
        "policy": run.policy_path.name,
        "policy_sha256": hashlib.sha256(run.policy_path.read_bytes()).hexdigest(),
        "workflow": None if workflow is None else list(workflow.order),
        "compliance_definition": None if workflow is None else workflow.definition,
        "game": game,
        "network": options.network.identity.to_json(),
        "episodes": episodes,
        "seed": seed,
    }


def _read(path: Path) -> Playbook | None:
    """The playbook in a file; None where there is none that this version can read."""
    try:
        data = read_json(path)
        return Playbook.from_json(data)
    except (OSError, ValueError, AttributeError, TypeError):
        return None


__all__ = ["FILE", "NOTHING_DUE", "STILL_OPEN", "Playbook", "make_playbook", "saved_playbook"]
