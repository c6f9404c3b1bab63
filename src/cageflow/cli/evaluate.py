"""The command that evaluates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ADVANCED,
    ORDER_FORMS,
    AgentTimeout,
    CyborgPath,
    Json,
    PolicyDurations,
    PolicyScenario,
    RunTeamCode,
    option,
)
from cageflow.cli.output import print_json, whole_numbers
from cageflow.cli.telling import Telling
from cageflow.errors import UserError

if TYPE_CHECKING:
    from cageflow.agents.sources import AgentSource, SourceOptions


@app.command()
def evaluate(
    policies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="POLICY...",
            help="Policy files, run folders (their best policy), team files (.json), champion, champion-ordered, "
            "baselines (sleep, random, flagged, react, greedy), models (.onnx of cageflow's, .zip of "
            "Stable-Baselines3), or agents in Python as file.py:Name or module:Name.",
            show_default=False,
        ),
    ] = None,
    team: Annotated[
        str | None,
        option("Policies that play as one: bline=P1,meander=P2, also sleep= and opening=."),
    ] = None,
    save_team: Annotated[Path | None, option("Keep the team in this file, .json.", panel=ADVANCED)] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic/--sample",
            help="Whether policies take their likeliest action, or draw one as in training.",
        ),
    ] = False,
    agent_args: Annotated[
        str | None, option("For the constructors of agents in Python: a JSON object.", panel=ADVANCED)
    ] = None,
    agent_timeout: AgentTimeout = 60.0,
    run_team_code: RunTeamCode = False,
    workflow: Annotated[
        str | None,
        option(
            f"The order that fixes are judged by, and that a universal policy follows. {ORDER_FORMS}",
            "the policy's own",
        ),
    ] = None,
    compliance_definition: Annotated[
        str | None,
        option("What counts as compromised for it: any-session or evictable.", "the policy's own", panel=ADVANCED),
    ] = None,
    rules: Annotated[str | None, option("v2.1 (today's CAGE-2) or challenge (as it was judged).", "v2.1")] = None,
    observation: Annotated[
        str | None,
        option("Blue's table: corrected or official.", "the policy's own, else corrected", panel=ADVANCED),
    ] = None,
    evaluation_episodes: Annotated[int, typer.Option(help="Fresh episodes of each of the nine cells.", min=2)] = 1000,
    max_steps: Annotated[
        str | None,
        option(
            "Steps of an episode; several lengths, separated by commas.",
            "the network's protocol, else 30,50,100",
            panel=ADVANCED,
        ),
    ] = None,
    red_agent: Annotated[
        str | None,
        option(
            "Red agents, separated by commas.",
            "the network's protocol, else bline,meander,sleep; without those that have no way",
            panel=ADVANCED,
        ),
    ] = None,
    green: Annotated[
        bool, typer.Option("--green/--no-green", help="Wake the green agent.", rich_help_panel=ADVANCED)
    ] = False,
    scenario: PolicyScenario = None,
    durations: PolicyDurations = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    simulator: Annotated[
        str, typer.Option(help="compiled, or cyborg: an installed CybORG.", rich_help_panel=ADVANCED)
    ] = "compiled",
    cyborg_path: CyborgPath = None,
    both: Annotated[
        bool,
        typer.Option("--both", help="Play on both, and test whether the means are equivalent."),
    ] = False,
    cyborg_episodes: Annotated[
        int | None, option("With --both: episodes of each cell on CybORG.", "--evaluation-episodes", panel=ADVANCED)
    ] = None,
    margin: Annotated[
        float | None,
        option("With --both: difference that counts as none.", "5 % of CybORG's mean, at least 0.5", panel=ADVANCED),
    ] = None,
    perturbed: Annotated[
        int | None,
        option(
            "Episodes of each perturbed start (25 steps asleep, 25 random ones) against each red agent; 0 for none.",
            "where compliance is judged a fifth of --evaluation-episodes, not on CybORG",
            panel=ADVANCED,
        ),
    ] = None,
    n_workers: Annotated[int | None, option("Processes.", "1; on CybORG one for each core", panel=ADVANCED)] = None,
    as_json: Json = False,
) -> None:
    """Play the challenge's protocol: 30, 50 and 100 steps against B-line, Meander and Sleep."""
    from cageflow.agents.own_game import game_on_cyborg, own_game
    from cageflow.agents.sources import SourceOptions
    from cageflow.envs.options import GameOptions
    from cageflow.evaluation.both import evaluate_both
    from cageflow.evaluation.protocol import EvaluationSettings
    from cageflow.evaluation.protocol import evaluate as evaluate_agent
    from cageflow.evaluation.tables import format_evaluation, format_parity, format_standing
    from cageflow.workflow.compliance import DEFINITIONS

    if simulator not in ("compiled", "cyborg"):
        raise UserError(f"--simulator is {simulator!r}; possible are compiled and cyborg.")
    if not both and (cyborg_episodes is not None or margin is not None):
        raise UserError("--cyborg-episodes and --margin are for --both.")
    if cyborg_episodes is not None and cyborg_episodes < 2:
        raise UserError(f"--cyborg-episodes is {cyborg_episodes}; a mean with its error needs at least 2.")
    on_cyborg = both or simulator == "cyborg"
    if compliance_definition not in (None, *DEFINITIONS):
        raise UserError(f"--compliance-definition is {compliance_definition!r}; possible are {', '.join(DEFINITIONS)}.")
    options = SourceOptions(
        deterministic,
        _arguments(agent_args),
        cyborg_path,
        workflow,
        compliance_definition,
        agent_timeout,
        run_team_code,
        scenario,
    )
    sources = _sources(policies, team, save_team, options)
    asked: dict[str, Any] = {
        "rules": _cyborg_rules(rules, cyborg_path) if on_cyborg else rules or "v2.1",
        "green": green,
        "observation": observation,
    }
    if on_cyborg:
        EvaluationSettings(GameOptions(scenario=scenario, durations=durations or "file"), cyborg_path=cyborg_path)
    protocol: dict[str, Any] = {
        "episodes": evaluation_episodes,
        "seed": seed,
        "lengths": () if max_steps is None else tuple(dict.fromkeys(whole_numbers("--max-steps", max_steps))),
        "red_agents": _red_agents(red_agent),
        "cyborg_path": cyborg_path if on_cyborg else None,
        "num_workers": n_workers,
    }

    results: list[dict[str, Any]] = []
    evaluations = []
    for source in sources:
        if on_cyborg:
            game = game_on_cyborg(source, **asked)
        else:
            game = own_game(source, scenario=scenario, durations=durations, **asked)
        starts = perturbed
        if starts is None:
            starts = 0 if on_cyborg or source.workflow is None else max(2, evaluation_episodes // 5)
        settings = EvaluationSettings(game, **protocol, perturbed_episodes=starts)
        with Telling() as telling:
            say = telling if on_cyborg else telling.doing
            if both:
                parity = evaluate_both(source, settings, cyborg_episodes, margin, say)
                results.append(parity.to_json())
                evaluations.append(parity.ours)
            else:
                evaluations.append(evaluate_agent(source, settings, say))
                results.append(evaluations[-1].to_json())
        for note in evaluations[-1].notes:
            terminal.say(note, err=True)
        terminal.say(format_evaluation(evaluations[-1]) + "\n", err=as_json)
        if both:
            terminal.say(format_parity(parity) + "\n", err=as_json)
    terminal.say(format_standing(evaluations), err=as_json)
    if as_json:
        print_json(results[0] if len(results) == 1 else {"policies": results})


def _sources(
    policies: list[str] | None, team: str | None, save_team: Path | None, options: SourceOptions
) -> list[AgentSource]:
    """Who is to be evaluated, the team last; it is saved where that is asked for."""
    from cageflow.agents.sources import find_agent, make_team, parse_team
    from cageflow.agents.team import write_team
    from cageflow.files import check_output_file

    if not policies and team is None:
        raise UserError("there is nobody to evaluate; name a policy, or a team by --team.")
    if save_team is not None and team is None:
        raise UserError("--save-team needs a team; name one by --team.")
    if save_team is not None:
        check_output_file(save_team, ".json", option="--save-team")
    sources = [find_agent(text, options) for text in policies or []]
    if team is not None:
        members, opening = parse_team(team)
        sources.append(make_team(f"team {team}", members, opening, options))
        if save_team is not None:
            write_team(save_team, members, opening)
    return sources


def _red_agents(text: str | None) -> tuple[str, ...]:
    """Names of those that are asked for; none is the protocol's."""
    from cageflow.scenario.red_agents import parse_red_agent

    return () if text is None else tuple(dict.fromkeys(parse_red_agent(name.strip()) for name in text.split(",")))


def _arguments(text: str | None) -> dict[str, Any]:
    from cageflow.reading import parse_json

    if text is None:
        return {}
    try:
        arguments = parse_json(text)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise UserError(f'--agent-args is {text!r}; expected a JSON object, such as {{"model": "policy.pt"}}.')
    return arguments


def _cyborg_rules(rules: str | None, cyborg_path: Path | None) -> str:
    """The rules that a CybORG plays, which must be those that are asked for."""
    from cageflow.envs.cyborg import cyborg_rules

    if cyborg_path is None:
        raise UserError("CybORG is to be played on; name its folder by --cyborg-path.")
    plays = cyborg_rules(cyborg_path)
    if rules not in (None, plays):
        raise UserError(f"--rules is {rules!r}, but CybORG in {cyborg_path} plays {plays}.")
    return plays
