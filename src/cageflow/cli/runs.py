"""The commands that train: search, train and landscape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ADVANCED,
    ORDER_FORMS,
    Address,
    Collector,
    ConfigFile,
    CyborgPath,
    Definition,
    Device,
    DurationsOfActions,
    EvaluationEpisodes,
    Executor,
    Green,
    IsQuiet,
    Json,
    Lambda,
    MaxSteps,
    Observation,
    Parallel,
    Patience,
    PerTrial,
    PerUpdate,
    PerWorkflow,
    Preset,
    RedAgent,
    Resume,
    Rules,
    RunDir,
    ScenarioFile,
    Seed,
    Simulator,
    Staleness,
    StartFrom,
    Threads,
    Threshold,
    TotalEpisodes,
    Workers,
    option,
)
from cageflow.cli.output import print_json
from cageflow.errors import UserError

if TYPE_CHECKING:
    from cageflow.runs.summary import RunSummary
    from cageflow.settings.config import RunConfig


@app.command()
def search(
    total_episodes: TotalEpisodes = None,
    seed: Seed = None,
    run_dir: RunDir = None,
    resume: Resume = None,
    config: ConfigFile = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
    red_agent: RedAgent = None,
    rules: Rules = None,
    observation: Observation = None,
    max_steps: MaxSteps = None,
    green: Green = None,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    strategy: Annotated[
        str | None,
        option("gp-ucb, thompson, random, round-robin, canonical or exhaustive.", "gp-ucb"),
    ] = None,
    beta: Annotated[
        float | None, option("Weight of the deviation in UCB = mean + beta * deviation.", 2.0, panel=ADVANCED)
    ] = None,
    gate: Annotated[
        str | None,
        option("feasibility (weigh orders by the chance that they comply) or strict.", "feasibility", panel=ADVANCED),
    ] = None,
    kernel: Annotated[
        str | None,
        option(
            "How orders correlate: mallows, position, pairwise, or evidence, which takes the likeliest.",
            "evidence",
            panel=ADVANCED,
        ),
    ] = None,
    init: Annotated[
        str | None,
        option(
            "Where a new workflow starts: scratch, nearest (from the trained one that is most alike) or shared (from "
            "the one trained last).",
            "scratch",
            panel=ADVANCED,
        ),
    ] = None,
    fixed_episodes: Annotated[
        int | None,
        option("Train each workflow for exactly so many, without alignment reward or gate.", panel=ADVANCED),
    ] = None,
    parallel_workflows: Parallel = None,
    executor: Executor = None,
    address: Address = None,
    alignment_lambda: Lambda = None,
    compliance_threshold: Threshold = None,
    compliance_definition: Definition = None,
    min_episodes_per_trial: PerTrial = None,
    max_episodes_per_workflow: PerWorkflow = None,
    patience_updates: Patience = None,
    evaluation_episodes: EvaluationEpisodes = None,
    preset: Preset = None,
    start_from: StartFrom = None,
    episodes_per_update: PerUpdate = None,
    num_threads: Threads = None,
    device: Device = None,
    collector: Collector = None,
    n_workers: Workers = None,
    max_staleness: Staleness = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
) -> None:
    """Search the 120 workflows: train a defender for each order that the strategy picks, and name the best."""
    settings = {name: value for name, value in locals().items() if name not in NOT_SETTINGS}
    summary = run_command("search", settings, config, run_dir, resume, as_json, quiet)
    if as_json:
        print_json(_search_json(summary))
    else:
        _print_summary(summary)


@app.command()
def train(
    workflow: Annotated[
        str | None,
        option(
            f"The order in which to fix defender, enterprise, op_server, op_host and user. {ORDER_FORMS}",
        ),
    ] = None,
    no_workflow: Annotated[bool, typer.Option("--no-workflow", help="Plain PPO.")] = False,
    total_episodes: TotalEpisodes = None,
    seed: Seed = None,
    run_dir: RunDir = None,
    resume: Resume = None,
    config: ConfigFile = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
    red_agent: RedAgent = None,
    rules: Rules = None,
    observation: Observation = None,
    max_steps: MaxSteps = None,
    green: Green = None,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    alignment_lambda: Lambda = None,
    compliance_threshold: Threshold = None,
    compliance_definition: Definition = None,
    min_episodes_per_trial: PerTrial = None,
    patience_updates: Patience = None,
    evaluation_episodes: EvaluationEpisodes = None,
    preset: Preset = None,
    start_from: StartFrom = None,
    episodes_per_update: PerUpdate = None,
    num_threads: Threads = None,
    device: Device = None,
    collector: Collector = None,
    n_workers: Workers = None,
    max_staleness: Staleness = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
) -> None:
    """Train one defender, for one workflow or by plain PPO."""
    settings = {name: value for name, value in locals().items() if name not in NOT_SETTINGS}
    settings["no_workflow"] = no_workflow or None
    summary = run_command("train", settings, config, run_dir, resume, as_json, quiet)
    if as_json:
        print_json(_train_json(summary))
    else:
        _print_summary(summary, searched=False)


@app.command()
def landscape(
    max_episodes_per_workflow: Annotated[
        int | None, option("Episodes of each training.", 10_000, panel=ADVANCED)
    ] = None,
    repetitions: Annotated[int | None, option("Trainings of each workflow.", 1)] = None,
    parallel_workflows: Parallel = None,
    executor: Executor = None,
    address: Address = None,
    seed: Seed = None,
    run_dir: RunDir = None,
    resume: Resume = None,
    config: ConfigFile = None,
    quiet: IsQuiet = False,
    as_json: Json = False,
    red_agent: RedAgent = None,
    rules: Rules = None,
    observation: Observation = None,
    max_steps: MaxSteps = None,
    green: Green = None,
    scenario: ScenarioFile = None,
    durations: DurationsOfActions = None,
    alignment_lambda: Lambda = None,
    compliance_threshold: Threshold = None,
    compliance_definition: Definition = None,
    evaluation_episodes: EvaluationEpisodes = None,
    preset: Preset = None,
    start_from: StartFrom = None,
    episodes_per_update: PerUpdate = None,
    num_threads: Threads = None,
    device: Device = None,
    collector: Collector = None,
    n_workers: Workers = None,
    max_staleness: Staleness = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
) -> None:
    """Train all 120 workflows alike and write what each came to: what `cageflow regret` measures strategies on."""
    settings = {name: value for name, value in locals().items() if name not in NOT_SETTINGS}
    summary = run_command("landscape", settings, config, run_dir, resume, as_json, quiet)
    if as_json:
        print_json({**_search_json(summary), "landscape": str(summary.run_dir / "landscape.csv")})
    else:
        _print_summary(summary)
        terminal.say(f"  landscape   {summary.run_dir / 'landscape.csv'}")


NOT_SETTINGS = {"config", "run_dir", "resume", "quiet", "as_json", "no_workflow", "settings"}


def run_command(
    command: Literal["search", "train", "landscape", "universal"],
    settings: dict[str, Any],
    file: Path | None,
    run_dir: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
) -> RunSummary:
    """Start a run or go on with one.

    Args:
        command: the command itself.
        settings: by the names of the options; None where not given.
        file: of `--config`.
        run_dir: of `--run-dir`.
        resume: of `--resume`.
        as_json: whether standard output is for the result alone.
        quiet: whether to say nothing before it.
    """
    from cageflow.runs import runs
    from cageflow.runs.progress import make_reporter
    from cageflow.runs.start import notes_on_start

    reporter = make_reporter(terminal.make_console(stderr=as_json), quiet)
    if resume is not None:
        changes = {name: settings.get(name) for name in ("total_episodes", *runs.WHERE)}
        changes["cyborg_path"] = None if settings.get("cyborg_path") is None else str(settings["cyborg_path"])
        kept = {**settings, "config": file, "run_dir": run_dir}
        given = [
            "--" + name.replace("_", "-") for name, value in kept.items() if value is not None and name not in changes
        ]
        if given:
            raise UserError(f"a resumed run keeps its settings: leave out {', '.join(given)}, or start a new run")
        return runs.resume(resume, command, reporter, changes)
    new = _new_config(command, settings, file)
    for note in notes_on_start(new):
        terminal.say(note, err=True)
    return runs.start(new, run_dir, reporter)


def _new_config(command: str, settings: dict[str, Any], file: Path | None) -> RunConfig:
    """The configuration of a new run, from what the user gave."""
    from cageflow.cli.names import say_renamed
    from cageflow.settings.config import make_config, renamed_settings

    no_workflow = settings.pop("no_workflow", None)
    if no_workflow and settings["workflow"] is not None:
        raise UserError("--workflow and --no-workflow exclude each other: give one of them")
    if file is not None:
        for old, new in renamed_settings(file).items():
            say_renamed(f"{file}: {old}", new)
    for name in ("scenario", "cyborg_path", "start_from"):
        settings[name] = None if settings.get(name) is None else str(settings[name])
    config = make_config({**settings, "command": command}, file)
    if no_workflow:
        return config.model_copy(update={"workflow": None})
    if command == "train" and config.workflow is None:
        raise UserError("give one of --workflow ORDER and --no-workflow")
    return config


def _search_json(summary: RunSummary) -> dict[str, Any]:
    from cageflow.scenario.orders import format_order

    assert summary.workflow is not None, "a search has tried a workflow"
    return {
        "run_dir": str(summary.run_dir),
        "best_workflow": format_order(summary.workflow) if summary.feasible else None,
        "workflow": format_order(summary.workflow),
        "feasible": summary.feasible,
        "reward": summary.reward,
        "reward_se": summary.reward_se,
        "compliance": summary.compliance,
        "episodes": summary.episodes,
        "trials": summary.trials,
        "seconds": summary.seconds,
        "episodes_per_s": summary.episodes_here / summary.seconds,
        "policy": str(summary.policy),
    }


def _train_json(summary: RunSummary) -> dict[str, Any]:
    from cageflow.scenario.orders import format_order

    return {
        "run_dir": str(summary.run_dir),
        "workflow": None if summary.workflow is None else format_order(summary.workflow),
        "reward": summary.reward,
        "reward_se": summary.reward_se,
        "compliance": None if summary.workflow is None else summary.compliance,
        "ending": summary.ending,
        "episodes": summary.episodes,
        "seconds": summary.seconds,
        "episodes_per_s": summary.episodes_here / summary.seconds,
        "policy": str(summary.policy),
    }


def _print_summary(summary: RunSummary, *, searched: bool = True) -> None:
    """Print what a run came to; `searched` where it had orders to choose from."""
    from cageflow.scenario.orders import show_order

    console = terminal.make_console(highlight=False, soft_wrap=True)
    if summary.workflow is None:
        title = "[bold]Plain PPO[/bold]"
    else:
        what = "Workflow"
        if searched:
            what = "Best workflow" if summary.feasible else "No workflow complied; closest"
        title = f"[bold]{what}  [green]{show_order(summary.workflow)}[/green][/bold]"
    lines = [
        title,
        f"  reward      {summary.reward:.2f} ± {summary.reward_se:.2f}, mean and standard error of fresh episodes",
    ]
    if summary.workflow is not None:
        missed = "" if summary.feasible else ", below the threshold: it needs more episodes"
        lines.append(f"  compliance  {summary.compliance:.1%}{missed}")
    trials = "" if summary.trials == 1 else f" in {summary.trials} trials"
    rate = f"{summary.seconds:.0f} s, {summary.episodes_here / summary.seconds:.0f} episodes/s"
    if summary.episodes_here < summary.episodes:
        rate = f"{summary.episodes_here:,} of them now, {rate}" if summary.episodes_here else "all of them before"
    lines += [
        f"  training    {summary.episodes:,} episodes{trials}, {rate}",
        f"  ended by    {summary.ending}",
        f"  policy      {summary.policy}",
        f"  run folder  {summary.run_dir}",
    ]
    console.print("\n" + "\n".join(lines))
