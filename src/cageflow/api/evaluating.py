"""Policies judged by the challenge's protocol, one or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cageflow.agents.own_game import game_on_cyborg, own_game
from cageflow.agents.sources import AgentSource, SourceOptions, make_team, parse_team
from cageflow.agents.team import write_team
from cageflow.api.policies import AGENT_TIMEOUT_S, LoadedPolicy, find_source
from cageflow.api.progress import Callback, Progress, path_of
from cageflow.envs.cyborg import cyborg_rules
from cageflow.envs.options import RULES, GameOptions
from cageflow.envs.red_code import RedAgentLike, read_red_agent
from cageflow.errors import UserError
from cageflow.evaluation.both import Parity, evaluate_both
from cageflow.evaluation.protocol import EPISODES, Evaluation, EvaluationSettings
from cageflow.evaluation.protocol import evaluate as evaluate_agent
from cageflow.evaluation.ranking import Place, check_alike, rank_evaluations
from cageflow.evaluation.ranking_table import FORMS, format_ranking
from cageflow.files import check_output_file
from cageflow.listed import split_list
from cageflow.scenario.orders import OrderLike
from cageflow.workflow.compliance import DEFINITIONS

SIMULATORS = ("compiled", "cyborg")
PERTURBED_PART = 5
"""Where compliance is judged, each perturbed start has a 5th of a cell's episodes unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What policies came to, in the order in which they were named.

    Attributes:
        evaluations: of each policy; its `cells` have the returns of all episodes, its `total` a mean and an error.
        parities: where both simulators played, both sides and the tests of equivalence; else empty.
    """

    evaluations: tuple[Evaluation, ...]
    parities: tuple[Parity, ...] = ()

    def __len__(self) -> int:
        return len(self.evaluations)

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self.evaluations)

    def __getitem__(self, number: int) -> Evaluation:
        return self.evaluations[number]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each policy and cell, such as pandas makes a table of."""
        return [
            {"policy": one["policy"], "rules": one["rules"], "network": one["network"]["name"], **_flat(cell)}
            for one in (evaluation.to_json() for evaluation in self.evaluations)
            for cell in one["cells"]
        ]

    def ranking(self) -> tuple[Place, ...]:
        """The policies from the best total to the worst, each with what it is behind the first.

        Raises:
            UserError: they did not play the same game.
        """
        return rank_evaluations(self.evaluations)

    def table(self, form: str = "text") -> str:
        """The ranking as a table: "text", "markdown" or "csv"; raises `UserError` likewise."""
        if form not in FORMS:
            raise UserError(f"form is {form!r}; possible are {', '.join(FORMS)}.")
        return format_ranking(self.ranking(), form)

    def to_json(self) -> dict[str, Any]:
        """What `cageflow evaluate --json` prints: of one policy its own figures, of several a list."""
        results = [one.to_json() for one in self.parities or self.evaluations]
        return results[0] if len(results) == 1 else {"policies": results}


def evaluate(
    policies: str | Path | object | Sequence[str | Path | object],
    *,
    evaluation_episodes: int = EPISODES,
    seed: int = 0,
    rules: str | None = None,
    red_agent: RedAgentLike | Sequence[RedAgentLike] | None = None,
    max_steps: int | Sequence[int] | None = None,
    network: str | Path | None = None,
    durations: str | None = None,
    observation: str | None = None,
    green: bool = False,
    deterministic: bool = False,
    workflow: OrderLike | None = None,
    compliance_definition: str | None = None,
    perturbed: int | None = None,
    team: str | None = None,
    save_team: str | Path | None = None,
    agent_args: Mapping[str, Any] | None = None,
    agent_timeout: float = AGENT_TIMEOUT_S,
    run_team_code: bool = False,
    simulator: str = "compiled",
    cyborg_path: str | Path | None = None,
    both: bool = False,
    cyborg_episodes: int | None = None,
    margin: float | None = None,
    n_workers: int | None = None,
    alike: bool = False,
    progress: Callback | None = None,
) -> Evaluations:
    """Play the challenge's protocol: 30, 50 and 100 steps against B-line, Meander and Sleep.

    Args:
        policies: one or several: whatever `load_policy` takes, and what it gives.
        evaluation_episodes: fresh episodes of each cell.
        seed: decides all chance; policies that are judged with the same seed play the same episodes.
        rules: "v2.1", or "challenge" as it was judged; None is v2.1, on CybORG its own, of a loaded policy those that
            it was loaded for.
        red_agent: one or several in place of the protocol's three.
        max_steps: one length of episodes or several in place of the protocol's three.
        network, durations, observation: of the game; None is what each policy was made for.
        green: whether the green agent is awake.
        deterministic: whether policies take their likeliest action in place of drawing one.
        workflow: the order that fixes are judged by and that a universal policy follows; None is the policy's own.
        compliance_definition: what counts as compromised for it; None is the policy's own.
        perturbed: episodes of each perturbed start against each red agent, 0 for none; None plays some where
            compliance is judged.
        team: policies that play as one, such as "bline=P1,meander=P2"; it stands last.
        save_team: a file to keep it in, .json.
        agent_args: for the constructors of agents in Python.
        agent_timeout: seconds that such an agent has for an answer.
        run_team_code: let a team file run the code that it names.
        simulator: "compiled", or "cyborg": an installed CybORG.
        cyborg_path: its folder.
        both: play on both, and test whether the means are equivalent.
        cyborg_episodes: then, episodes of each cell on CybORG.
        margin: then, the difference that counts as none.
        n_workers: processes.
        alike: refuse policies that do not play the same game before any is played, so that a table can be made.
        progress: is told of each cell that is done where they take their time, and of each policy with its evaluation.

    Raises:
        UserError: an argument is not possible, a policy is none, does not fit the game, or fails.
        WorkerError: a process died.
    """
    if simulator not in SIMULATORS:
        raise UserError(f"simulator is {simulator!r}; possible are {' and '.join(SIMULATORS)}.")
    if not both and (cyborg_episodes is not None or margin is not None):
        raise UserError("--cyborg-episodes and --margin are for --both.")
    if cyborg_episodes is not None and cyborg_episodes < 2:
        raise UserError(f"cyborg_episodes is {cyborg_episodes}; a mean with its error needs at least 2.")
    if compliance_definition not in (None, *DEFINITIONS):
        raise UserError(f"compliance_definition is {compliance_definition!r}; possible are {', '.join(DEFINITIONS)}.")
    on_cyborg, original = both or simulator == "cyborg", path_of(cyborg_path)
    options = SourceOptions(
        deterministic,
        dict(agent_args or {}),
        original,
        workflow,
        compliance_definition,
        agent_timeout,
        run_team_code,
        network,
    )
    sources = _sources(policies, team, path_of(save_team), options)
    if on_cyborg:
        rules = _cyborg_rules(rules, original)
        EvaluationSettings(GameOptions(scenario=network, durations=durations or "file"), cyborg_path=original)
    protocol: dict[str, Any] = {
        "episodes": evaluation_episodes,
        "seed": seed,
        "lengths": () if max_steps is None else tuple(dict.fromkeys(_several(max_steps))),
        "red_agents": () if red_agent is None else tuple(dict.fromkeys(map(_red_agent, _several(red_agent)))),
        "cyborg_path": original if on_cyborg else None,
        "num_workers": n_workers,
    }
    jobs: list[tuple[AgentSource, EvaluationSettings]] = []
    for source, loaded in sources:
        asked: dict[str, Any] = {
            "rules": rules or (RULES[0] if loaded is None else loaded.rules),
            "green": green,
            "observation": observation or (None if loaded is None else loaded.observation),
        }
        if on_cyborg:
            game = game_on_cyborg(source, **asked)
        else:
            own = (None, None) if loaded is None else (loaded.scenario, loaded.durations)
            game = own_game(source, scenario=network or own[0], durations=durations or own[1], **asked)
        starts = perturbed
        if starts is None:
            judged = source.workflow is not None and not on_cyborg
            starts = max(2, evaluation_episodes // PERTURBED_PART) if judged else 0
        jobs.append((source, EvaluationSettings(game, **protocol, perturbed_episodes=starts)))
    if alike:
        check_alike([(source.name, settings) for source, settings in jobs])
    evaluations: list[Evaluation] = []
    parities: list[Parity] = []
    for number, (source, settings) in enumerate(jobs):
        tell = _teller(progress, number, len(jobs))
        if both:
            parities.append(evaluate_both(source, settings, cyborg_episodes, margin, tell))
            evaluations.append(parities[-1].ours)
        else:
            evaluations.append(evaluate_agent(source, settings, tell))
        if progress is not None:
            words = f"{source.name}: {evaluations[-1].total.mean:.2f}"
            parity = parities[-1] if both else None
            progress(
                Progress(
                    what="policy",
                    words=words,
                    done=number + 1,
                    total=len(jobs),
                    evaluation=evaluations[-1],
                    parity=parity,
                )
            )
    return Evaluations(tuple(evaluations), tuple(parities))


def _sources(
    policies: object, team: str | None, save_team: Path | None, options: SourceOptions
) -> list[tuple[AgentSource, GameOptions | None]]:
    """Who is to be evaluated, and the game of a policy that was loaded; the team last, saved where that is asked."""
    named = list(policies) if isinstance(policies, list | tuple) else [policies]
    if not named and team is None:
        raise UserError("there is nobody to evaluate; name a policy, or a team by --team.")
    if save_team is not None and team is None:
        raise UserError("--save-team needs a team; name one by --team.")
    if save_team is not None:
        check_output_file(save_team, ".json", option="--save-team")
    sources = [
        (find_source(policy, options), policy.game if isinstance(policy, LoadedPolicy) else None) for policy in named
    ]
    if team is not None:
        members, opening = parse_team(team)
        sources.append((make_team(f"team {team}", members, opening, options), None))
        if save_team is not None:
            write_team(save_team, members, opening)
    return sources


def _cyborg_rules(rules: str | None, cyborg_path: Path | None) -> str:
    """The rules that a CybORG plays, which must be those that are asked for."""
    if cyborg_path is None:
        raise UserError("CybORG is to be played on; name its folder by --cyborg-path.")
    plays = cyborg_rules(cyborg_path)
    if rules not in (None, plays):
        raise UserError(f"rules is {rules!r}, but CybORG in {cyborg_path} plays {plays}.")
    return plays


def _several(given: Any) -> Sequence[Any]:
    """One or several, text with commas between, of which one that holds a comma itself stands in double quotes."""
    if isinstance(given, str):
        return split_list(given)
    return given if isinstance(given, list | tuple) else (given,)


def _red_agent(name: Any) -> Any:
    return read_red_agent(name.strip() if isinstance(name, str) else name)


def _teller(progress: Callback | None, done: int, total: int) -> Callable[[str], None]:
    """Hands words on cells to a function."""

    def tell(words: str) -> None:
        if progress is not None:
            progress(Progress(what="cell", words=words, done=done, total=total))

    return tell


def _flat(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell without what is no number or name, its interval in two columns."""
    low, high = cell["interval"]
    plain = {name: value for name, value in cell.items() if not isinstance(value, list | dict)}
    return {**plain, "low": low, "high": high}
