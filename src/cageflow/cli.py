"""The command line: arguments in, one call, words out. Heavy imports stand inside the commands."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from cageflow.errors import UserError
from cageflow.experiment.wording import expectation

if TYPE_CHECKING:
    from cageflow.experiment.config import RunConfig
    from cageflow.experiment.runs import RunSummary

app = typer.Typer(
    name="cageflow",
    help="Find the order in which a network's compromised machines should be fixed, and train the defender that "
    "follows it, on an exact and very fast simulator of CAGE Challenge 2.",
    epilog="Exit status: 0 done; 1 the command's own no (recordings differ, a run broke down); 2 wrong input, nothing "
    "was written; 130 or 143 stopped by Ctrl-C or SIGTERM, with a checkpoint to go on from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bench_app = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        from cageflow import __version__

        typer.echo(f"cageflow {__version__}")
        raise typer.Exit


@app.callback()
def cageflow(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the command."""


EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def _option(help_text: str, default: object = None, *names: str, panel: str | None = None) -> Any:
    """An option whose default is decided later (by `--config`, or by the run that is resumed) but shown here."""
    shown = "" if default is None else f" [dim]\\[default: {default}][/dim]"  # Typer would put it in parentheses
    return typer.Option(*names, help=help_text + shown, show_default=False, rich_help_panel=panel)


GAME, WORKFLOW, LEARNER, SEARCH, COLLECTOR, RUN = (
    f"The {name}" for name in ("game", "workflow", "learner", "search", "collector", "run")
)

RedAgent = Annotated[
    str | None,
    _option("B_lineAgent, RedMeanderAgent or SleepAgent; or bline, meander, sleep.", "B_lineAgent", panel=GAME),
]
Rules = Annotated[str | None, _option("v2.1 (today's CAGE-2) or challenge (as it was judged).", "v2.1", panel=GAME)]
Observation = Annotated[str | None, _option("Blue's table: corrected or official.", "corrected", panel=GAME)]
MaxSteps = Annotated[int | None, _option("Steps of an episode.", 100, panel=GAME)]
Green = Annotated[bool | None, _option("Wake the green agent.", "no-green", "--green/--no-green", panel=GAME)]
ScenarioFile = Annotated[Path | None, _option("A network file in place of CAGE-2's own.", panel=GAME)]

Lambda = Annotated[float | None, _option("Reward for an episode of full compliance.", 30.0, panel=WORKFLOW)]
Definition = Annotated[
    str | None,
    _option(
        "What counts as compromised: any-session, or evictable (not red's first host).", "any-session", panel=WORKFLOW
    ),
]
Threshold = Annotated[float | None, _option("Compliance that a workflow's training aims for.", 0.95, panel=WORKFLOW)]
Patience = Annotated[
    int | None, _option("Updates without better compliance that end a workflow's training.", 12, panel=WORKFLOW)
]
PerTrial = Annotated[int | None, _option("Episodes before compliance may end a trial.", 1000, panel=WORKFLOW)]
PerWorkflow = Annotated[int | None, _option("Episodes of one trial of a workflow.", 10_000, panel=WORKFLOW)]
EvaluationEpisodes = Annotated[int | None, _option("Fresh episodes that judge a trained policy.", 500, panel=WORKFLOW)]

Preset = Annotated[
    str | None, _option("The learner: default, or reference (the earlier prototype's).", "default", panel=LEARNER)
]
PerUpdate = Annotated[int | None, _option("Episodes of one update.", "the preset's", panel=LEARNER)]
Threads = Annotated[int | None, _option("Threads of the learner.", 1, panel=LEARNER)]
Device = Annotated[str | None, _option("Where the learner runs: cpu or cuda.", "cpu", panel=LEARNER)]

Collector = Annotated[
    str | None, _option("Who plays the episodes: vector, process, sync or sequential.", "vector", panel=COLLECTOR)
]
Workers = Annotated[int | None, _option("Worker processes of the collectors process and sync.", 2, panel=COLLECTOR)]
Staleness = Annotated[
    int | None,
    _option("Updates that an episode of the collector process may be old; 0 waits for all.", 1, panel=COLLECTOR),
]
Simulator = Annotated[str | None, _option("compiled, or cyborg: an installed CybORG.", "compiled", panel=COLLECTOR)]
CyborgPath = Annotated[Path | None, _option("Folder of the installed CybORG.", panel=COLLECTOR)]

Seed = Annotated[int | None, _option("Decides all chance.", 0, panel=RUN)]
TotalEpisodes = Annotated[int | None, _option("Training episodes in all.", 100_000, panel=RUN)]
ConfigFile = Annotated[
    Path | None, _option("A YAML file of settings; options given here go first.", None, "--config", panel=RUN)
]
RunDir = Annotated[Path | None, _option("Folder of the run.", "runs/ and a new name", panel=RUN)]
Resume = Annotated[Path | None, _option("Go on with the run in this folder.", panel=RUN)]
IsQuiet = Annotated[bool, typer.Option("--quiet", help="Say nothing until the end.", rich_help_panel=RUN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, words on standard error.")]


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
    strategy: Annotated[str | None, _option("gp-ucb, thompson, random or round-robin.", "gp-ucb", panel=SEARCH)] = None,
    beta: Annotated[
        float | None, _option("Weight of the deviation in UCB = mean + beta * deviation.", 2.0, panel=SEARCH)
    ] = None,
    gate: Annotated[
        str | None,
        _option("feasibility (weigh orders by the chance that they comply) or strict.", "feasibility", panel=SEARCH),
    ] = None,
    alignment_lambda: Lambda = None,
    compliance_threshold: Threshold = None,
    compliance_definition: Definition = None,
    min_episodes_per_trial: PerTrial = None,
    max_episodes_per_workflow: PerWorkflow = None,
    patience_updates: Patience = None,
    evaluation_episodes: EvaluationEpisodes = None,
    preset: Preset = None,
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
    settings = {name: value for name, value in locals().items() if name not in _NOT_SETTINGS}
    summary = _run("search", settings, config, run_dir, resume, as_json, quiet)
    if as_json:
        _print_json(_search_json(summary))
    else:
        _print_summary(summary)


@app.command()
def train(
    workflow: Annotated[
        str | None,
        _option(
            "The five unit types as they are to be fixed, with commas: defender, enterprise, op_server, op_host and "
            "user in any order.",
            panel=WORKFLOW,
        ),
    ] = None,
    no_workflow: Annotated[bool, typer.Option("--no-workflow", help="Plain PPO.", rich_help_panel=WORKFLOW)] = False,
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
    alignment_lambda: Lambda = None,
    compliance_threshold: Threshold = None,
    compliance_definition: Definition = None,
    patience_updates: Patience = None,
    evaluation_episodes: EvaluationEpisodes = None,
    preset: Preset = None,
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
    settings = {name: value for name, value in locals().items() if name not in _NOT_SETTINGS}
    settings["no_workflow"] = no_workflow or None
    summary = _run("train", settings, config, run_dir, resume, as_json, quiet)
    if as_json:
        _print_json(_train_json(summary))
    else:
        _print_summary(summary)


@app.command()
def parity(
    files: Annotated[list[Path], typer.Argument(help="Recordings of the original, .npz.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Replay recorded episodes in the simulator; exit status 0 if nothing differs, 1 if something does."""
    from cageflow.parity.replay import replay_files
    from cageflow.parity.report import Totals, format_report

    totals = Totals()
    for report in replay_files(files):
        totals.add(report)
        typer.echo(format_report(report), err=as_json)
    typer.echo(str(totals), err=as_json)
    if as_json:
        _print_json(asdict(totals))
    if totals.mismatches:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def record(
    cyborg_path: Annotated[Path, typer.Option(help="Folder of an installed CybORG 2.1.", show_default=False)],
    out: Annotated[Path | None, _option("The file to write.", "named like the shipped recordings")] = None,
    rules: Annotated[str, typer.Option(help="The rules that this CybORG plays by: v2.1 or challenge.")] = "v2.1",
    red_agent: Annotated[str, typer.Option(help="B_lineAgent, RedMeanderAgent or SleepAgent.")] = "B_lineAgent",
    blue: Annotated[str, typer.Option(help="random, sleep, restore, remove, decoyer, focused or lazy.")] = "random",
    green: Annotated[bool, typer.Option("--green/--no-green", help="Wake the green agent.")] = False,
    episodes: Annotated[int, typer.Option(help="Episodes to record.", min=1)] = 10,
    max_steps: Annotated[int, typer.Option(help="Steps of an episode.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Record episodes of an installed CybORG with every chance outcome, for `cageflow parity`."""
    from cageflow.envs.options import parse_red_agent
    from cageflow.parity.recorder import record_episodes
    from cageflow.parity.recording import save_recording

    full_name = parse_red_agent(red_agent)
    path = out or Path(f"{rules}_{full_name}_{blue}_g{int(green)}_s{seed}.npz")
    if path.exists():
        raise UserError(f"{path} exists already: name another file by --out")
    if not path.parent.is_dir():
        raise UserError(f"{path.parent} is no folder: make it, or name another file by --out")
    recording = record_episodes(cyborg_path, rules, full_name, blue, green, seed, episodes, max_steps)
    save_recording(path, recording)
    if as_json:
        _print_json({"file": str(path), "episodes": episodes, "steps": episodes * max_steps})
    else:
        typer.echo(f"Wrote {path}: {episodes} episodes of {max_steps} steps.")


@app.command()
def play(
    blue: Annotated[str, typer.Option(help="random, sleep, human, or a policy file.")] = "random",
    red_agent: Annotated[str, typer.Option(help="B_lineAgent, RedMeanderAgent or SleepAgent.")] = "B_lineAgent",
    rules: Annotated[str, typer.Option(help="v2.1 or challenge.")] = "v2.1",
    observation: Annotated[str, typer.Option(help="Blue's table: corrected or official.")] = "corrected",
    max_steps: Annotated[int, typer.Option(help="Steps of the episode.", min=1)] = 100,
    green: Annotated[bool, typer.Option("--green/--no-green", help="Wake the green agent.")] = False,
    scenario: ScenarioFile = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    steps: Annotated[int | None, _option("Stop after so many steps.")] = None,
    delay: Annotated[float, typer.Option(help="Seconds between steps.")] = 0.5,
) -> None:
    """Watch an episode in the terminal: who did what, the network, the reward."""
    from cageflow.envs.options import GameOptions
    from cageflow.evaluation.play import BLUE_NAMES, blue_policy, play_episode

    options = GameOptions(red_agent, rules, observation, max_steps, green, scenario)
    if blue in BLUE_NAMES:
        policy = blue_policy(blue, options.network, seed)
    elif Path(blue).exists():
        from cageflow.evaluation.player import load_player

        policy = load_player(Path(blue), options, seed)
    else:
        raise UserError(f"--blue is {blue!r}: expected one of {', '.join(BLUE_NAMES)}, or the path of a policy file")
    play_episode(options, policy, seed=seed, steps=steps, delay=delay, blue=Path(blue).stem)


@bench_app.command("sim")
def bench_sim(
    red_agent: Annotated[str, typer.Option(help="B_lineAgent, RedMeanderAgent or SleepAgent.")] = "B_lineAgent",
    num_envs: Annotated[int, typer.Option(help="Environments of the batch.", min=1)] = 8192,
    threads: Annotated[str, typer.Option(help="Numbers of threads, separated by commas.")] = "1,2",
    repeats: Annotated[int, typer.Option(help="Measurements; the median counts.", min=1)] = 9,
    cyborg_path: Annotated[Path | None, _option("An installed CybORG to compare with.")] = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Measure the simulator: steps per second in a batch, one Gymnasium step, compilation, memory."""
    from cageflow.envs import benchmark
    from cageflow.envs.options import GameOptions

    result = benchmark.bench_sim(
        GameOptions(red_agent),
        num_envs=num_envs,
        threads=_whole_numbers("--threads", threads),
        repeats=repeats,
        seed=seed,
        cyborg_path=cyborg_path,
        progress=lambda words: typer.echo(words, err=True),
    )
    if as_json:
        _print_json(result)
    else:
        typer.echo(benchmark.format_sim(result))


@bench_app.command("collectors")
def bench_collectors(
    workers: Annotated[str, typer.Option(help="Numbers of worker processes, separated by commas.")] = "1,2",
    updates: Annotated[int, typer.Option(help="Updates of each measurement.", min=1)] = 5,
    red_agent: RedAgent = None,
    episodes_per_update: PerUpdate = None,
    preset: Preset = None,
    seed: Seed = None,
    max_staleness: Staleness = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
    as_json: Json = False,
) -> None:
    """Measure the collectors against each other: episodes per second of a training, and where the time goes."""
    from cageflow.experiment import benchmark
    from cageflow.experiment.config import make_config

    config = make_config(
        {
            "command": "train",
            "red_agent": red_agent,
            "episodes_per_update": episodes_per_update,
            "preset": preset,
            "seed": seed,
            "max_staleness": max_staleness,
            "simulator": simulator,
            "cyborg_path": None if cyborg_path is None else str(cyborg_path),
        }
    )
    numbers = _whole_numbers("--workers", workers)
    result = benchmark.bench_collectors(config, numbers, updates, lambda words: typer.echo(words, err=True))
    if as_json:
        _print_json(result)
    else:
        typer.echo(benchmark.format_collectors(result))


@bench_app.command("train")
def bench_train(
    total_episodes: Annotated[int, typer.Option(help="Episodes of each search.", min=1)] = 20_000,
    preset: Annotated[str, typer.Option(help="Presets, separated by commas.")] = "default,reference",
    red_agent: RedAgent = None,
    max_episodes_per_workflow: PerWorkflow = None,
    seed: Seed = None,
    num_threads: Threads = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Measure a whole search end to end with each preset: episodes per second, where the time goes, memory."""
    from cageflow.experiment import benchmark

    settings = {
        "total_episodes": total_episodes,
        "red_agent": red_agent,
        "max_episodes_per_workflow": max_episodes_per_workflow,
        "seed": seed,
        "num_threads": num_threads,
        "device": device,
    }
    results = benchmark.bench_train(settings, preset.split(","), lambda words: typer.echo(words, err=True))
    if as_json:
        _print_json(results)
    else:
        typer.echo(benchmark.format_train(results))


def _whole_numbers(option: str, text: str) -> list[int]:
    """Read whole numbers from 1, separated by commas."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise UserError(f"{option} is {text!r}: expected whole numbers from 1, separated by commas, such as 1,2,4")
    return numbers


_NOT_SETTINGS = {"config", "run_dir", "resume", "quiet", "as_json", "no_workflow", "settings"}


def _run(
    command: Literal["search", "train"],
    settings: dict[str, Any],
    file: Path | None,
    run_dir: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
) -> RunSummary:
    """Start a run or go on with one.

    Args:
        command: "search" or "train".
        settings: by the names of the options; None where not given.
        file: of `--config`.
        run_dir: of `--run-dir`.
        resume: of `--resume`.
        as_json: whether standard output is for the result alone.
        quiet: whether to say nothing before it.
    """
    from cageflow.experiment import runs
    from cageflow.experiment.progress import make_reporter

    reporter = make_reporter(Console(stderr=as_json), quiet)
    if resume is not None:
        kept = {**settings, "config": file, "run_dir": run_dir}
        total_episodes = kept.pop("total_episodes")
        given = ["--" + name.replace("_", "-") for name, value in kept.items() if value is not None]
        if given:
            raise UserError(f"a resumed run keeps its settings: leave out {', '.join(given)}, or start a new run")
        return runs.resume(resume, command, reporter, total_episodes)
    made = _new_config(command, settings, file)
    return (runs.search if command == "search" else runs.train)(made, run_dir, reporter)


def _new_config(command: str, settings: dict[str, Any], file: Path | None) -> RunConfig:
    from cageflow.experiment.config import make_config

    no_workflow = settings.pop("no_workflow", None)
    if no_workflow and settings["workflow"] is not None:
        raise UserError("--workflow and --no-workflow exclude each other: give one of them")
    for name in ("scenario", "cyborg_path"):
        settings[name] = None if settings[name] is None else str(settings[name])
    config = make_config({**settings, "command": command}, file)
    if no_workflow:
        return config.model_copy(update={"workflow": None})
    if command == "train" and config.workflow is None:
        raise UserError("give one of --workflow ORDER and --no-workflow")
    return config


def _search_json(summary: RunSummary) -> dict[str, Any]:
    from cageflow.workflow.orders import format_order

    assert summary.workflow is not None, "a search always has a best workflow"
    return {
        "run_dir": str(summary.run_dir),
        "best_workflow": format_order(summary.workflow),
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
    from cageflow.workflow.orders import format_order

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


def _print_summary(summary: RunSummary) -> None:
    from cageflow.workflow.orders import format_order

    console = Console(highlight=False, soft_wrap=True)
    if summary.workflow is None:
        title = "[bold]Plain PPO[/bold]"
    else:
        what = "Best workflow" if summary.trials > 1 else "Workflow"
        title = f"[bold]{what}  [green]{format_order(summary.workflow).replace(',', ' > ')}[/green][/bold]"
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


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content))


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a command and turn what a user can cause into one sentence and an exit status.

    0 done; 1 the command's own "no" (a mismatch, a run that broke down); 2 wrong input; 128 + n ended by signal n.

    Args:
        arguments: those of the command line; None takes them from the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no bar or ± is no reason to end a run
    status = 0
    try:
        status = app(arguments, prog_name="cageflow", standalone_mode=False) or 0
    except UserError as error:
        _fail(str(error), EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        status = EXIT_INTERRUPTED
    except Exception as error:
        # Typer's own, and those of a run, whose heavy modules are not loaded here.
        known = getattr(error, "exit_status", None)
        if known is not None:
            _fail(str(error), known)
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is its message, or is printed by now
            typer.echo(error.format_message(), err=True, nl=False)
            sys.exit(EXIT_USAGE)
        _fail(_usage_sentence(error), EXIT_USAGE)
    if status == EXIT_INTERRUPTED:
        _fail("stopped by SIGINT", status)
    sys.exit(status)


def _usage_sentence(error: Any) -> str:
    """What Typer could not read, with the value that was given where it only says what was expected."""
    details = getattr(error.__cause__, "errors", None)  # of pydantic, which newer versions of Typer parse with
    if details is None or getattr(error, "param", None) is None:
        sentence = " ".join(error.format_message().split()).rstrip(".")
        sentence = sentence[:1].lower() + sentence[1:]
    else:
        first = details()[0]
        name = error.param.opts[0] if error.param.opts[0].startswith("-") else error.param.human_readable_name
        sentence = f"{name} is {first['input']!r}: {expectation(first['msg'])}"
    context = getattr(error, "ctx", None)
    return sentence if context is None else f"{sentence}; see {context.command_path} --help"


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(f"cageflow: {sentence}", err=True)
    sys.exit(status)
