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
    from cageflow.api.progress import Progress


@app.command()
def evaluate(
    policies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="POLICY...",
            help="Policy files, run folders (their best policy), team files (.json), champion, champion-robust, "
            "champion-ordered, baselines (sleep, random, flagged, react, greedy), models (.onnx of cageflow's, .zip of "
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
            "Red agents as for `cageflow train`, separated by commas.",
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
    table: Annotated[
        bool, typer.Option("--table", help="One table of all, by their totals, in place of a page for each.")
    ] = False,
    out: Annotated[Path | None, option("Also write that table to this file, .md or .csv.")] = None,
    as_json: Json = False,
) -> None:
    """Play the challenge's protocol: 30, 50 and 100 steps against B-line, Meander and Sleep."""
    from cageflow.api.evaluating import evaluate as evaluate_policies
    from cageflow.evaluation.ranking_table import SUFFIXES, format_ranking
    from cageflow.evaluation.tables import format_evaluation, format_parity, format_standing
    from cageflow.files import check_output_file, write_whole

    if out is not None:
        check_output_file(out, *SUFFIXES)
    is_ranked = table or out is not None
    with Telling() as telling:

        def tell(progress: Progress) -> None:
            if progress.evaluation is None:
                (telling if both or simulator == "cyborg" else telling.doing)(progress.words)
                return
            with telling.aside():
                for note in progress.evaluation.notes:
                    terminal.say(note, err=True)
                if not is_ranked:
                    terminal.say(format_evaluation(progress.evaluation) + "\n", err=as_json)
                if progress.parity is not None:
                    terminal.say(format_parity(progress.parity) + "\n", err=as_json)

        found = evaluate_policies(
            policies or [],
            evaluation_episodes=evaluation_episodes,
            seed=seed,
            rules=rules,
            red_agent=red_agent,
            max_steps=None if max_steps is None else whole_numbers("--max-steps", max_steps),
            network=scenario,
            durations=durations,
            observation=observation,
            green=green,
            deterministic=deterministic,
            workflow=workflow,
            compliance_definition=compliance_definition,
            perturbed=perturbed,
            team=team,
            save_team=save_team,
            agent_args=_arguments(agent_args),
            agent_timeout=agent_timeout,
            run_team_code=run_team_code,
            simulator=simulator,
            cyborg_path=cyborg_path,
            both=both,
            cyborg_episodes=cyborg_episodes,
            margin=margin,
            n_workers=n_workers,
            alike=is_ranked,
            progress=tell,
        )
    places = found.ranking() if is_ranked else ()
    if is_ranked:
        terminal.say(format_ranking(places) + "\n", err=as_json)
    terminal.say(format_standing(found.evaluations), err=as_json)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, (format_ranking(places, SUFFIXES[out.suffix.lower()]) + "\n").encode())
        terminal.say(f"Wrote {out}.", err=as_json)
    if as_json:
        print_json({**found.to_json(), **({"table": [one.to_json() for one in places]} if is_ranked else {})})


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
