"""The command that trains one policy for all workflows: universal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import Asked, option, takes
from cageflow.cli.output import print_json
from cageflow.cli.runs import run_command
from cageflow.errors import UserError
from cageflow.settings.parts import UniversalSettings

if TYPE_CHECKING:
    from cageflow.runs.summary import RunSummary
    from cageflow.search.landscape import Landscape


@app.command()
@takes(UniversalSettings, own_after="cyborg_path")
def universal(
    asked: Asked,
    against: Annotated[
        Path | None,
        option("A landscape.csv: compare with policies that were trained for one workflow each."),
    ] = None,
) -> None:
    """Train one policy that is told the workflow, on all of them at once, and say what it is worth for each."""
    landscape = None if against is None else _read(against, _network(asked))
    summary = run_command("universal", asked)
    figures = _figures(summary, landscape)
    if asked.as_json:
        print_json(figures)
    else:
        _print(summary, figures)


def _network(asked: Asked) -> str:
    """Fingerprint of the network that the run is on, or will be."""
    from cageflow.runs.layout import CONFIG, with_kept_files
    from cageflow.settings.commands import UniversalConfig
    from cageflow.settings.reading import make_config_of, read_config

    if asked.resume is not None:
        return with_kept_files(read_config(asked.resume / CONFIG), asked.resume).game().network.fingerprint
    return make_config_of(UniversalConfig, asked.settings, asked.config).game().network.fingerprint


def _read(path: Path, network: str) -> Landscape:
    """A landscape of all orders on a network, refused before anything is trained if it is none."""
    from cageflow.measure.comparison import check_network, compare_tables
    from cageflow.search import read_landscape

    landscape = read_landscape(path)
    try:
        check_network(landscape, network)
    except UserError as error:
        raise UserError(f"--against {path}: {error}") from error
    compare_tables(landscape, landscape, 0.0)
    return landscape


def _figures(summary: RunSummary, landscape: Landscape | None) -> dict[str, Any]:
    """What `--json` prints."""
    from cageflow.measure.comparison import compare_tables
    from cageflow.runs.layout import CONFIG, UNIVERSAL_TABLE
    from cageflow.scenario.orders import format_order
    from cageflow.search import read_landscape
    from cageflow.settings.reading import read_config

    assert summary.workflow is not None, "of all workflows one is the best"
    path = summary.run_dir / UNIVERSAL_TABLE
    table = read_landscape(path)
    rows = table.rows
    threshold = read_config(summary.run_dir / CONFIG).compliance_threshold
    return {
        "run_dir": str(summary.run_dir),
        "reward": sum(row.reward for row in rows) / len(rows),
        "compliance": sum(row.compliance for row in rows) / len(rows),
        "workflows": len(rows),
        "feasible_workflows": sum(row.compliance >= threshold for row in rows),
        "best_workflow": format_order(summary.workflow) if summary.feasible else None,
        "workflow": format_order(summary.workflow),
        "feasible": summary.feasible,
        "best_reward": summary.reward,
        "best_reward_se": summary.reward_se,
        "best_compliance": summary.compliance,
        "episodes": summary.episodes,
        "seconds": summary.seconds,
        "policy": str(summary.policy),
        "table": str(path),
        **({} if landscape is None else {"against": asdict(compare_tables(table, landscape, threshold))}),
    }


def _print(summary: RunSummary, figures: dict[str, Any]) -> None:
    from rich.text import Text

    from cageflow.runs.layout import CONFIG
    from cageflow.scenario.orders import read_order, show_order
    from cageflow.settings.reading import read_config

    best = show_order(read_order(figures["workflow"]))
    followed = f"{figures['feasible_workflows']:,} workflows reach the threshold"
    if read_config(summary.run_dir / CONFIG).is_enforced:
        followed = "by the truth; every workflow is kept as far as blue can know"
    title = (f"\nOne policy for {figures['workflows']:,} workflows", "bold")
    console = terminal.make_console(highlight=False, soft_wrap=True)
    console.print(Text.assemble(title, ", mean over all of them, fresh episodes of each"))
    lines = [
        f"  reward      {figures['reward']:.2f}",
        f"  compliance  {figures['compliance']:.1%}; {followed}",
        f"  {'best        ' if summary.feasible else 'none complied; closest '}{best}, reward "
        f"{summary.reward:.2f} ± {summary.reward_se:.2f}, compliance {summary.compliance:.1%}",
        f"  training    {summary.episodes:,} episodes, {summary.seconds:.0f} s with the evaluation",
        f"  policy      {summary.policy}",
        f"  table       {figures['table']}",
        f"  run folder  {summary.run_dir}",
    ]
    if "against" in figures:
        lines += ["", *_comparison(figures["against"])]
    console.print("\n".join(lines))


def _comparison(figures: dict[str, Any]) -> list[str]:
    """The two ways of training, a column each."""
    one, other = figures["one"], figures["other"]
    shared = [
        ("reward, mean over those of both", f"{one['shared_reward']:.2f}", f"{other['shared_reward']:.2f}"),
        ("compliance, likewise", f"{one['shared_compliance']:.1%}", f"{other['shared_compliance']:.1%}"),
    ]
    rows = [
        ("", "universal", "one each"),
        ("reward, mean over all workflows", f"{one['reward']:.2f}", f"{other['reward']:.2f}"),
        ("compliance, likewise", f"{one['compliance']:.1%}", f"{other['compliance']:.1%}"),
        ("workflows that reach the threshold", f"{one['num_feasible']}", f"{other['num_feasible']}"),
        *(shared if figures["num_shared"] else []),
        ("training episodes in all", f"{one['episodes']:,.0f}", f"{other['episodes']:,.0f}"),
    ]
    table = [f"  {name:<35} {left:>12} {right:>12}" for name, left, right in rows]
    if not figures["num_shared"]:
        return [*table, "  no workflow reaches the threshold on both sides, so that there is no gain to tell"]
    gain = f"{figures['gain']:+.2f}" + (f" ± {figures['gain_se']:.2f}" if figures["num_shared"] > 1 else "")
    return [
        *table,
        f"  a policy for each workflow gains {gain} in reward; it is better for {figures['num_better']} of the "
        f"{figures['num_shared']} workflows",
    ]
