"""The command that trains the defender that comes with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ADVANCED,
    ORDER_FORMS,
    Definition,
    DurationsOfActions,
    GreenShare,
    IsQuiet,
    Json,
    Lambda,
    Mode,
    PerturbedStarts,
    RedMixture,
    RunDir,
    ScenarioFile,
    StudyResume,
    as_text,
    option,
    refuse_beside_resume,
)
from cageflow.cli.output import figures_table, print_json, whole_numbers
from cageflow.cli.telling import Telling

if TYPE_CHECKING:
    from cageflow.studies.champion_table import ChampionTable


@app.command()
def champion(
    rules: Annotated[
        str | None,
        option(
            "challenge (as CAGE-2 was judged), v2.1 (as it is today), or mixed: for each, joined in one policy.",
            "mixed",
        ),
    ] = None,
    seed: Annotated[
        str | None, option("Decides all chance; several, separated by commas, train one defender each.", "1,2,3")
    ] = None,
    total_episodes: Annotated[
        int | None, option("Training episodes with each seed and under each of the rules.", 100_000)
    ] = None,
    starts: Annotated[
        int | None,
        option(
            "Beginnings of each training, each with half of the episodes; the best, by episodes that judge nothing "
            "else, goes on with the other half.",
            1,
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        option(
            "Rounds after the training, in each of which a red agent learns against the defender, and the defender "
            "against all that did, beside the scripts.",
            0,
        ),
    ] = None,
    remove_habit: Annotated[
        bool,
        option(
            "Begin under challenge with the habit of a Remove where a host that was restored is held again, which "
            "training keeps where it pays.",
            None,
            "--remove-habit",
        ),
    ] = False,
    restore_gates: Annotated[
        bool,
        option(
            "Before the rounds, close to the defender under v2.1 those Restores that a red agent can make it repeat "
            "for ever.",
            None,
            "--restore-gates",
        ),
    ] = False,
    n_workers: Annotated[int | None, option("Processes: trainings at once.", "one for each core")] = None,
    evaluation_episodes: Annotated[
        int | None, option("Fresh episodes of each cell of the protocol, with each seed.", 1000, panel=ADVANCED)
    ] = None,
    config: Annotated[Path | None, option("A YAML file with settings of the training, such as ppo.")] = None,
    run_dir: RunDir = None,
    resume: StudyResume = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
    workflow: Annotated[str | None, option(f"The order to follow. {ORDER_FORMS}", "none")] = None,
    workflow_mode: Mode = None,
    alignment_lambda: Lambda = None,
    compliance_definition: Definition = None,
    red_agent: Annotated[
        str | None,
        option(
            "Whom it meets in training: mixed, either attacker, drawn for each episode; or one.",
            "mixed",
        ),
    ] = None,
    red_mixture: RedMixture = None,
    green_share: GreenShare = None,
    perturbed_starts: PerturbedStarts = None,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
) -> None:
    """Train one defender against all red agents with several seeds, and judge it by the network's protocol."""
    from cageflow.studies import champion as champions

    given = as_text(
        {
            "rules": rules,
            "total_episodes": total_episodes,
            "workflow": workflow,
            "workflow_mode": workflow_mode,
            "alignment_lambda": alignment_lambda,
            "compliance_definition": compliance_definition,
            "red_agent": red_agent,
            "red_mixture": red_mixture,
            "green_share": green_share,
            "perturbed_starts": perturbed_starts,
            "scenario": scenario,
            "durations": durations,
        }
    )
    others = {
        "seed": seed,
        "evaluation_episodes": evaluation_episodes,
        "config": config,
        "run_dir": run_dir,
        "rounds": rounds,
        "starts": starts,
        "restore_gates": restore_gates or None,
        "remove_habit": remove_habit or None,
    }

    if resume is not None:
        refuse_beside_resume(given | others)
        with Telling(quiet=quiet) as say:
            tables = champions.go_on(resume, n_workers, say)
    else:
        settings = champions.make_settings(
            given,
            config,
            tuple(whole_numbers("--seed", "1,2,3" if seed is None else seed)),
            evaluation_episodes,
            rounds,
            starts,
            restore_gates=restore_gates,
            remove_habit=remove_habit,
        )
        with Telling(quiet=quiet) as say:
            tables = champions.train_champion(settings, run_dir, n_workers, say)
    if as_json:
        print_json(tables.to_json())
    else:
        for table in tables.tables:
            _print(table)


def _print(table: ChampionTable) -> None:
    from cageflow.evaluation.leader_board import leader_board
    from cageflow.scenario.red_agents import red_words

    console, first, total = terminal.make_console(highlight=False), table.results[0].evaluation, table.total
    winner = table.winner_cells()
    names = [f"seed {one.seed}" for one in table.results]
    shown = figures_table("steps, against", *names, *(["mean"] if total else []), *(["winner"] if winner else []))
    for i, cell in enumerate(first.cells):
        means = [one.evaluation.cells[i].summary.mean for one in table.results]
        means += ([table.cell_means()[i]] if total else []) + ([winner[i]] if winner else [])
        shown.add_row(f"{cell.max_steps:4} {red_words(cell.red_agent)}", *(f"{mean:z.2f}" for mean in means))
    totals = [one.total for one in table.results] + ([total] if total else [])
    sums = [f"{one.mean:z.2f}" for one in totals] + ([f"{sum(winner):z.2f}"] if winner else [])
    shown.add_row("total", *sums)
    shown.add_row("± half the 95 % interval", *(f"{one.half_width():.2f}" for one in totals))
    if table.results[0].compliance is not None:
        shown.add_row("compliance", *(f"{one.compliance:.1%}" for one in table.results))
    shown.add_row("seconds of training", *(f"{one.seconds:.0f}" for one in table.results))
    console.print(
        f"Mean returns under the rules {table.rules}, {first.settings.episodes:,} episodes a cell, likeliest "
        "actions. The interval of a seed is by its episodes, that of the mean by the seeds.\n",
        soft_wrap=True,
    )
    console.print(shown)
    if winner is not None:
        console.print(f"\n  winner      {leader_board().entries[0].team}", soft_wrap=True)
    console.print(f"{'' if winner else chr(10)}  run folder  {table.run_dir}", soft_wrap=True)
