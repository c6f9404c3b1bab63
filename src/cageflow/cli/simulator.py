"""The commands around the simulator: parity, record and play."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.app import EXIT_FAILED, app
from cageflow.cli.options import (
    ORDER_FORMS,
    AgentTimeout,
    Json,
    PolicyDurations,
    PolicyScenario,
    RunTeamCode,
    ScenarioFile,
    option,
)
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling
from cageflow.errors import UserError


@app.command()
def parity(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recordings of the original, .npz.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Replay recorded episodes in the simulator; exit status 0 if nothing differs, 1 if something does."""
    from cageflow.parity.replay import replay_files
    from cageflow.parity.report import Totals, format_report

    totals, reports = Totals(), replay_files(files)
    while True:
        with Telling():
            report = next(reports, None)
        if report is None:
            break
        totals.add(report)
        terminal.say(format_report(report), err=as_json)
    terminal.say(str(totals), err=as_json)
    if as_json:
        print_json(asdict(totals))
    if totals.mismatches:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def record(
    cyborg_path: Annotated[Path, typer.Option(help="Folder of an installed CybORG 2.1.", show_default=False)],
    out: Annotated[Path | None, option("The file to write.", "named like the shipped recordings")] = None,
    rules: Annotated[str, typer.Option(help="The rules that this CybORG plays by: v2.1 or challenge.")] = "v2.1",
    red_agent: Annotated[str, typer.Option(help="B_lineAgent, RedMeanderAgent or SleepAgent.")] = "B_lineAgent",
    blue: Annotated[str, typer.Option(help="random, sleep, restore, remove, decoyer, focused or lazy.")] = "random",
    green: Annotated[bool, typer.Option("--green/--no-green", help="Wake the green agent.")] = False,
    episodes: Annotated[int, typer.Option(help="Episodes to record.", min=1)] = 10,
    max_steps: Annotated[int, typer.Option(help="Steps of an episode.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    scenario: ScenarioFile = None,
    as_json: Json = False,
) -> None:
    """Record episodes of an installed CybORG with every chance outcome, for `cageflow parity`."""
    from cageflow.files import check_output_file
    from cageflow.parity.recorder import record_episodes
    from cageflow.parity.recording import save_recording
    from cageflow.scenario.red_agents import parse_red_agent

    full_name = parse_red_agent(red_agent)
    on = "" if scenario is None else f"{scenario.stem}_"
    path = out or Path(f"{on}{rules}_{full_name}_{blue}_g{int(green)}_s{seed}.npz")
    check_output_file(path, ".npz")
    with Telling(f"recording {episodes} episodes"):
        recording = record_episodes(cyborg_path, rules, full_name, blue, green, seed, episodes, max_steps, scenario)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_recording(path, recording)
    if as_json:
        print_json({"file": str(path), "episodes": episodes, "steps": episodes * max_steps})
    else:
        terminal.say(f"Wrote {path}: {episodes} episodes of {max_steps} steps.")


@app.command()
def play(
    blue: Annotated[str, typer.Option(help="human, or whatever `cageflow evaluate` takes for a policy.")] = "random",
    workflow: Annotated[
        str | None, option(f"The order that a policy is to follow; a universal policy needs it. {ORDER_FORMS}")
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic/--sample", help="Whether a policy takes its likeliest action, or draws one."),
    ] = False,
    red_agent: Annotated[str, typer.Option(help="B_lineAgent, RedMeanderAgent, SleepAgent or mixed.")] = "B_lineAgent",
    rules: Annotated[str, typer.Option(help="v2.1 or challenge.")] = "v2.1",
    observation: Annotated[
        str | None, option("Blue's table: corrected or official.", "the policy's own, else corrected")
    ] = None,
    max_steps: Annotated[int, typer.Option(help="Steps of the episode.", min=1)] = 100,
    green: Annotated[bool, typer.Option("--green/--no-green", help="Wake the green agent.")] = False,
    scenario: PolicyScenario = None,
    durations: PolicyDurations = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    delay: Annotated[float, typer.Option(help="Seconds between steps.")] = 0.5,
    agent_timeout: AgentTimeout = 60.0,
    run_team_code: RunTeamCode = False,
) -> None:
    """Watch an episode in the terminal: who did what, the network, the reward."""
    from cageflow.agents.own_game import own_game
    from cageflow.agents.sources import PolicySource, SourceOptions, find_agent
    from cageflow.evaluation.play import HumanPolicy, play_episode
    from cageflow.learn.policy_file import load_policy

    agents = SourceOptions(
        deterministic, order=workflow, scenario=scenario, timeout_s=agent_timeout, team_code=run_team_code
    )
    source = None if blue == "human" else find_agent(blue, agents)
    if workflow is not None:
        if not isinstance(source, PolicySource):
            raise UserError(f"--workflow is for a policy file, and --blue is {blue}: leave one of them out")
        load_policy(source.path, order=source.workflow.order if source.workflow else None)
    options = own_game(
        source,
        red_agent=red_agent,
        rules=rules,
        observation=observation,
        max_steps=max_steps,
        green=green,
        scenario=scenario,
        durations=durations,
    )
    policy: Any
    if source is None:
        policy = HumanPolicy(options.network, terminal.make_console())
    else:
        policy = source.load(options.blue_setting)
        for note in source.notes(options.blue_setting):
            terminal.say(note, err=True)
    play_episode(options, policy, seed=seed, delay=delay, blue=Path(blue).stem)
