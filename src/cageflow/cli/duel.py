"""The command that lets defenders and attackers grow in turns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ADVANCED,
    IsQuiet,
    Json,
    RunDir,
    StudyResume,
    option,
    refuse_beside_resume,
    takes_game,
)
from cageflow.cli.output import figures_table, print_json
from cageflow.cli.telling import Telling

if TYPE_CHECKING:
    from cageflow.studies.duel_table import DuelTable


@app.command()
@takes_game
def duel(
    policy: Annotated[
        str | None,
        typer.Argument(
            metavar="POLICY",
            help="The defender to begin with, whatever `cageflow evaluate` takes. [dim]\\[default: champion][/dim]",
            show_default=False,
        ),
    ] = None,
    *,
    game: dict[str, Any],
    rounds: Annotated[int | None, option("Trainings of each side.", 4)] = None,
    seed: Annotated[int | None, option("Decides all chance.", 1)] = None,
    blue_episodes: Annotated[int | None, option("Training episodes of blue in a round.", 100_000)] = None,
    red_episodes: Annotated[int | None, option("Training episodes of red in a round.", 20_000)] = None,
    evaluation_episodes: Annotated[
        int | None, option("Fresh episodes of each defender against each attacker.", 500, panel=ADVANCED)
    ] = None,
    preset: Annotated[
        str | None, option("Blue's learner: champion, default or reference.", "champion", panel=ADVANCED)
    ] = None,
    n_workers: Annotated[int, typer.Option(help="Processes: trainings at once.", min=1, rich_help_panel=ADVANCED)] = 2,
    run_dir: RunDir = None,
    resume: StudyResume = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
) -> None:
    """Let defenders and attackers grow in turns, each trained against the other's best mixture (double oracle)."""
    from cageflow.report.duel_page import write_duel_page
    from cageflow.studies import duel as duels

    blue = {"total_episodes": blue_episodes, "preset": preset}
    red = {"total_episodes": red_episodes}
    others = {"rounds": rounds, "seed": seed, "evaluation_episodes": evaluation_episodes}
    with Telling(quiet=quiet) as say:
        if resume is not None:
            sides = {"blue_episodes": blue_episodes, "red_episodes": red_episodes, "preset": preset}
            refuse_beside_resume(game | sides | others | {"policy": policy, "run_dir": run_dir})
            found = duels.go_on(resume, n_workers, say)
        else:
            settings = duels.make_settings(policy or "champion", game, blue, red, others)
            found = duels.duel(settings, run_dir, n_workers, say)
        page = write_duel_page(found)
    if as_json:
        print_json({**found.to_json(), "report": str(page)})
    else:
        _print(found, page)


def _print(found: DuelTable, page: Path) -> None:
    console = terminal.make_console(highlight=False)
    shown = figures_table("round", "worth to blue", "red gains", "blue gains", "exploitability", words=0)
    for one in found.rounds:
        figures = (one.before.value, one.red_gain, one.blue_gain, one.exploitability)
        shown.add_row(str(one.number), *(f"{figure:z.2f}" for figure in figures))
    console.print(shown)
    lines = [f"\n  {side:5}       {_mixture(found.shares(side))}" for side in ("blue", "red")]
    lines += [
        f"\n  worth       {found.last.value:z.2f} to blue",
        f"\n  safest      {found.safest} ({found.files[found.safest]}), which comes to "
        f"{found.worst_of(found.safest):z.2f} against the attacker that is worst for it",
        f"\n  report      {page}",
        f"\n  run folder  {found.run_dir}",
    ]
    console.print("".join(lines), soft_wrap=True, markup=False)


def _mixture(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
