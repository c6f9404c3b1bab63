"""The commands around the simulator: parity, record and play."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import EXIT_FAILED, app
from cageflow.cli.options import (
    Json,
    ScenarioFile,
    option,
)
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling


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
    red_agent: Annotated[
        str,
        typer.Option(
            help="CybORG's own by name, another that is built in, or FILE.py:Class; random draws from a stream of its "
            "own here, elsewhere from the episode's."
        ),
    ] = "B_lineAgent",
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
    from cageflow.scenario.red_agents import is_code, parse_red_agent, short_red_name

    full_name = red_agent if is_code(red_agent) else parse_red_agent(red_agent)
    on = "" if scenario is None else f"{scenario.stem}_"
    path = out or Path(f"{on}{rules}_{short_red_name(full_name)}_{blue}_g{int(green)}_s{seed}.npz")
    check_output_file(path, ".npz")
    with Telling(f"recording {episodes} episodes"):
        recording = record_episodes(cyborg_path, rules, full_name, blue, green, seed, episodes, max_steps, scenario)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_recording(path, recording)
    if as_json:
        print_json({"file": str(path), "episodes": episodes, "steps": episodes * max_steps})
    else:
        terminal.say(f"Wrote {path}: {episodes} episodes of {max_steps} steps.")
