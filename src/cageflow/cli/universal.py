"""The command that trains one policy for all workflows: universal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console

from cageflow.cli.app import app
from cageflow.cli.options import (
    LEARNER,
    WORKFLOW,
    Collector,
    ConfigFile,
    CyborgPath,
    Definition,
    Device,
    Green,
    IsQuiet,
    Json,
    Lambda,
    MaxSteps,
    Observation,
    PerUpdate,
    Preset,
    RedAgent,
    Resume,
    Rules,
    RunDir,
    ScenarioFile,
    Seed,
    Simulator,
    Threads,
    Threshold,
    TotalEpisodes,
    Workers,
    option,
)
from cageflow.cli.output import print_json
from cageflow.cli.runs import NOT_SETTINGS, run_command

if TYPE_CHECKING:
    from cageflow.experiment.summary import RunSummary


@app.command()
def universal(
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
    evaluation_episodes: Annotated[
        int | None, option("Fresh episodes of each workflow that judge the trained policy.", 1000, panel=WORKFLOW)
    ] = None,
    preset: Preset = None,
    episodes_per_update: PerUpdate = None,
    orders_per_update: Annotated[
        int | None, option("Workflows that share the episodes of one update.", 10, panel=LEARNER)
    ] = None,
    num_threads: Threads = None,
    device: Device = None,
    collector: Collector = None,
    n_workers: Workers = None,
    simulator: Simulator = None,
    cyborg_path: CyborgPath = None,
) -> None:
    """Train one policy that is told the workflow, on all 120 at once, and say what it is worth for each."""
    settings = {name: value for name, value in locals().items() if name not in NOT_SETTINGS}
    summary = run_command("universal", settings, config, run_dir, resume, as_json, quiet)
    figures = _figures(summary)
    if as_json:
        print_json(figures)
    else:
        _print(summary, figures)


def _figures(summary: RunSummary) -> dict[str, Any]:
    """What `--json` prints."""
    from cageflow.experiment.config import read_config
    from cageflow.experiment.run_folder import CONFIG, UNIVERSAL_TABLE
    from cageflow.search import read_landscape
    from cageflow.workflow.orders import format_order

    assert summary.workflow is not None, "of all workflows one is the best"
    path = summary.run_dir / UNIVERSAL_TABLE
    rows = read_landscape(path).rows
    threshold = read_config(summary.run_dir / CONFIG).compliance_threshold
    return {
        "run_dir": str(summary.run_dir),
        "reward": sum(row.reward for row in rows) / len(rows),
        "compliance": sum(row.compliance for row in rows) / len(rows),
        "workflows": len(rows),
        "feasible_workflows": sum(row.compliance >= threshold for row in rows),
        "best_workflow": format_order(summary.workflow),
        "feasible": summary.feasible,
        "best_reward": summary.reward,
        "best_reward_se": summary.reward_se,
        "best_compliance": summary.compliance,
        "episodes": summary.episodes,
        "seconds": summary.seconds,
        "policy": str(summary.policy),
        "table": str(path),
    }


def _print(summary: RunSummary, figures: dict[str, Any]) -> None:
    lines = [
        f"[bold]One policy for {figures['workflows']} workflows[/bold], mean over all of them, fresh episodes of each",
        f"  reward      {figures['reward']:.2f}",
        f"  compliance  {figures['compliance']:.1%}; {figures['feasible_workflows']} workflows reach the threshold",
        f"  best        [green]{figures['best_workflow'].replace(',', ' > ')}[/green], reward "
        f"{summary.reward:.2f} ± {summary.reward_se:.2f}, compliance {summary.compliance:.1%}",
        f"  training    {summary.episodes:,} episodes, {summary.seconds:.0f} s with the evaluation",
        f"  policy      {summary.policy}",
        f"  table       {figures['table']}",
        f"  run folder  {summary.run_dir}",
    ]
    Console(highlight=False, soft_wrap=True).print("\n" + "\n".join(lines))
