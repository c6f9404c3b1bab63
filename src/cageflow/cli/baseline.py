"""The command that measures baselines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ADVANCED,
    ORDER_FORMS,
    Definition,
    DurationsOfActions,
    Green,
    IsQuiet,
    Json,
    MaxSteps,
    Observation,
    RedAgent,
    Rules,
    RunDir,
    ScenarioFile,
    as_text,
    option,
    refuse_beside_resume,
)
from cageflow.cli.output import figures_table, print_json
from cageflow.cli.telling import Telling
from cageflow.errors import UserError

if TYPE_CHECKING:
    from cageflow.envs.options import GameOptions
    from cageflow.studies.baselines import BaselineTable

Resume = Annotated[Path | None, option("Go on with the run in this folder: what is finished there is not done again.")]


@app.command()
def baseline(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="sleep, random, flagged, react, greedy, fixed, ppo, ppo-unmasked, a2c, dqn, sac, or all.",
            show_default=False,
        ),
    ],
    total_episodes: Annotated[
        int | None, option("Training episodes of each one that is trained, with each seed.", 10_000)
    ] = None,
    seed: Annotated[
        str | None, option("Decides all chance; several, separated by commas, repeat everything with each.", 1)
    ] = None,
    run_dir: RunDir = None,
    resume: Resume = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
    red_agent: RedAgent = None,
    rules: Rules = None,
    observation: Observation = None,
    max_steps: MaxSteps = None,
    green: Green = None,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    workflow: Annotated[
        str | None,
        option(
            f"The order that greedy and fixed follow and that the fixes of the others are judged by. {ORDER_FORMS}",
            "all that the network names for fixed, by worth for greedy",
            panel=ADVANCED,
        ),
    ] = None,
    compliance_definition: Definition = None,
    evaluation_episodes: Annotated[
        int | None, option("Fresh episodes that judge each one, with each seed.", 1000, panel=ADVANCED)
    ] = None,
) -> None:
    """Measure a baseline, or all of them on equal budgets: train it if it must be, evaluate it on fresh episodes."""
    from cageflow.envs.red_speed import notes_on_red
    from cageflow.scenario.red_agents import is_code
    from cageflow.studies import baselines

    settings = as_text(
        {
            "total_episodes": total_episodes,
            "seed": seed,
            "red_agent": red_agent,
            "rules": rules,
            "observation": observation,
            "max_steps": max_steps,
            "green": green,
            "scenario": scenario,
            "durations": durations,
            "workflow": workflow,
            "compliance_definition": compliance_definition,
            "evaluation_episodes": evaluation_episodes,
        }
    )
    if resume is not None:
        refuse_beside_resume(
            {**settings, "run_dir": run_dir, "red_agent": None if is_code(red_agent or "") else red_agent}
        )
        with Telling(quiet=quiet) as say:
            table = baselines.go_on(resume, name, say, red_agent)
    else:
        given = {key: value for key, value in settings.items() if value is not None}
        if seed is not None:
            given["seeds"] = _seeds(given.pop("seed"))
        new = baselines.BaselineSettings.of({"name": name, **given})
        for note in notes_on_red(new.game):
            terminal.say(note, err=True)
        with Telling(quiet=quiet) as say:
            table = baselines.measure(new, run_dir, say)
    if as_json:
        print_json(table.to_json())
    else:
        _print(table)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--seed is {text!r}: expected whole numbers, separated by commas, such as 1,2,3") from None


def _durations(game: GameOptions) -> str:
    """What a heading says of durations that are not the network's own."""
    return "" if game.durations == "file" else f", durations {game.durations}"


def _print(table: BaselineTable) -> None:
    settings, console = table.settings, terminal.make_console(highlight=False)
    game = settings.game
    shown = figures_table("baseline", "return", "SE", "SD of seeds", "compliance", "episodes", "s", gap=2)
    for one in table.summaries:
        shown.add_row(
            one.name,
            f"{one.reward:z.2f}",
            f"{one.reward_se:.2f}",
            "" if one.seed_sd is None else f"{one.seed_sd:.2f}",
            "" if one.compliance is None else f"{one.compliance:.1%}",
            f"{one.episodes:,}" if one.episodes else "",
            f"{one.train_seconds:.0f}" if one.episodes else "",
        )
    seeds = "seed" if len(settings.seeds) == 1 else "seeds"
    console.print(
        f"Mean return of {settings.evaluation_episodes:,} fresh episodes of {game.max_steps} steps against "
        f"{game.red_agent}, rules {game.rules}{_durations(game)}, {seeds} {', '.join(map(str, settings.seeds))}\n",
        soft_wrap=True,
    )
    console.print(shown)
    console.print(f"\n  run folder  {table.run_dir}", soft_wrap=True)
