"""The command that measures strategies on a landscape: regret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import Json, option
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling

if TYPE_CHECKING:
    from rich.console import Console

    from cageflow.search.landscape import Landscape

STRATEGIES = "curves,gp-ucb,thompson,asha,random,round-robin,canonical"
KERNELS = "evidence,mallows,position,pairwise"


@app.command()
def regret(
    landscapes: Annotated[
        list[str],
        typer.Argument(
            metavar="LANDSCAPE...",
            help="Tables of `cageflow landscape`; bline and meander are the shipped ones.",
            show_default=False,
        ),
    ],
    repetitions: Annotated[
        int, typer.Option(help="Replays of each strategy, at least 2.", min=2, metavar="<int>")
    ] = 200,
    trials: Annotated[int, typer.Option(help="Trials of each replay.", min=1, metavar="<int>")] = 60,
    strategy: Annotated[
        str, typer.Option(help="Strategies, separated by commas; also random-feasible and, with --workflow, one-order.")
    ] = STRATEGIES,
    workflow: Annotated[str | None, option("The order that one-order trains throughout.", "no such contender")] = None,
    kernel: Annotated[
        str, typer.Option(help="Kernels that gp-ucb is replayed with, separated by commas; the others take the first.")
    ] = KERNELS,
    beta: Annotated[float, typer.Option(help="Weight of the deviation in UCB = mean + beta * deviation.")] = 2.0,
    gate: Annotated[str, typer.Option(help="feasibility or strict.")] = "feasibility",
    compliance_threshold: Annotated[float, typer.Option(help="Compliance of an order that can be followed.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0, metavar="<int>")] = 0,
    n_workers: Annotated[int | None, option("Processes that share the work.", "the cores of this machine")] = None,
    out: Annotated[
        Path | None,
        option("Folder for regret.csv, calibration.csv and the plot.", "NAME-regret, beside NAME.csv"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay search strategies on a landscape: how far from its best order they are after so many trials."""
    from cageflow.errors import UserError
    from cageflow.files import check_output_folder
    from cageflow.search.landscape import find_landscape, read_landscape

    console = terminal.make_console(stderr=as_json)
    tables = [(Path(name), read_landscape(find_landscape(name))) for name in landscapes]
    if out is not None and len(tables) > 1:
        raise UserError(f"--out is one folder, but {len(tables)} landscapes are given: leave it out or give one")
    folders = [out or path.with_name(f"{path.stem}-regret") for path, _ in tables]
    for folder in folders:
        check_output_folder(folder)
    measured = []
    with ExitStack() as stack:
        say = stack.enter_context(Telling("reading the landscape"))
        work = _worker(
            stack, say, n_workers, repetitions, trials, _names(strategy), _names(kernel), beta, gate,
            compliance_threshold, seed, workflow,
        )  # fmt: skip
        for (path, table), folder in zip(tables, folders, strict=True):
            measured.append(work(path, table, folder))
    for figures in measured:
        _print(console, figures)
    if as_json:
        print_json({"landscapes": measured})


def _worker(
    stack: ExitStack,
    say: Telling,
    n_workers: int | None,
    repetitions: int,
    trials: int,
    strategies: Sequence[str],
    kernels: Sequence[str],
    beta: float,
    gate: str,
    compliance_threshold: float,
    seed: int,
    order: str | None,
) -> Callable[[Path, Landscape, Path], dict[str, Any]]:
    """What measures one table; refuses nonsense before any work is begun."""
    from cageflow.analysis.differences_words import sentences
    from cageflow.analysis.plain_runs import plain_of_landscape
    from cageflow.errors import UserError
    from cageflow.measure.calibration import measure_calibration
    from cageflow.measure.differences import differences_of
    from cageflow.measure.regret import make_contenders, measure_regret
    from cageflow.report.regret_figures import calibration_figures, regret_figures, write_regret
    from cageflow.report.sections.prices import write_prices
    from cageflow.scenario.orders import read_order
    from cageflow.search.strategies import StrategySettings
    from cageflow.sim.threads import available_cores
    from cageflow.work.executors import make_executor

    settings: dict[str, Any] = {"beta": beta, "gate": gate, "compliance_threshold": compliance_threshold}
    kernel_names: list[Any] = list(kernels)
    contenders = make_contenders(
        strategies, kernel_names, StrategySettings(**settings), None if order is None else read_order(order)
    )
    workers = available_cores() if n_workers is None else n_workers
    if not 1 <= workers <= MAX_WORKERS:
        raise UserError(f"--n-workers is {workers}: expected 1 to {MAX_WORKERS}")
    executor = stack.enter_context(make_executor("process", workers)).executor if workers > 1 else None

    def measure(path: Path, table: Landscape, folder: Path) -> dict[str, Any]:
        say(f"{path.name}: replaying {len(contenders)} contenders {repetitions} times, {trials} trials each")
        regrets = measure_regret(
            table,
            contenders,
            repetitions=repetitions,
            trials=trials,
            seed=seed,
            executor=executor,
            on_progress=say.counting(f"{path.name}: replays"),
        )
        parts = measure_calibration(
            table,
            kernel_names,
            compliance_threshold=compliance_threshold,
            splits=CALIBRATION_SPLITS,
            seed=seed,
            curves="curves" in strategies,
            executor=executor,
            on_progress=say.counting(f"{path.name}: calibrations"),
        )
        plain = plain_of_landscape(path)
        found = differences_of(table, compliance_threshold, () if plain is None else plain.rewards)
        files = write_regret(folder, regrets, parts, f"{path.stem}: {repetitions} repetitions")
        files += write_prices(folder, found, f"{path.stem}: what every order is worth")
        return {
            "landscape": str(path),
            "seeds": len(table.seeds),
            "repetitions": repetitions,
            "regret": regret_figures(regrets),
            "calibration": calibration_figures(parts),
            "differences": found.to_json(),
            "words": list(sentences(found)),
            "files": [str(file) for file in files],
        }

    return measure


CALIBRATION_SPLITS = 50
MAX_WORKERS = 1024  # the system breaks down on absurd numbers


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(console: Console, figures: dict[str, Any]) -> None:
    """The tables of one landscape."""
    tables = [_regret_table(figures["regret"], name) for name in ("simple_regret", "cumulative_regret")]
    tables += [_calibration_table(figures["calibration"], quantity) for quantity in ("reward", "log-gap", "compliance")]
    for table in tables:
        if table.rows:  # a landscape of few orders has none to be told of and others to foretell
            _print_table(console, table)
    for sentence in figures["words"]:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    if figures["seeds"] == 1:
        console.print("One training an order: how much trainings differ is not known, and not in these figures.")
    console.print(f"Wrote {', '.join(figures['files'])}.", soft_wrap=True, highlight=False)


class _Table(NamedTuple):
    """Words in rows under headings."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def _regret_table(contenders: Sequence[dict[str, Any]], name: str) -> _Table:
    """One of the two regrets, a row for each contender; the simple one says how far the contenders came, too."""
    is_simple = name == "simple_regret"
    digits = 2 if is_simple else 1
    marks = list(contenders[0][name])
    rows = []
    for one in contenders:
        cells = [f"{mean:.{digits}f} ±{high - mean:.{digits}f}" for mean, _, high in one[name].values()]
        if is_simple:
            within = one["trials_to_within_1"]
            cells += [f"over {marks[-1]}" if within is None else f"{within:g}", f"{one['infeasible_share']:.0%}"]
        rows.append([one["contender"], *cells])
    more = ("to within 1", "infeasible") if is_simple else ()
    title = f"{'Simple' if is_simple else 'Cumulative'} regret by trials, with 95 % band"
    return _Table(title, ["strategy", *marks, *more], rows)


def _calibration_table(parts: Sequence[dict[str, Any]], quantity: str) -> _Table:
    """How well the kernels foretell one quantity, a row for each kernel and number of orders told."""
    rows = []
    for part in parts:
        if part["quantity"] == quantity:
            shares = [part[key] for key in ("within_1", "within_2", "mean_within_1", "mean_within_2")]
            cells = [f"{share:.0%} ±{error:.0%}" for share, error in shares]
            rows.append([part["kernel"], str(part["training_orders"]), *cells, f"{part['explained']:.2f}"])
    return _Table(
        f"Held-out {quantity} within 1 and 2 deviations (wanted: 68 and 95 %), of one training and of their mean",
        ["kernel", "orders told", "1", "2", "mean: 1", "2", "explained"],
        rows,
    )


def _print_table(console: Console, words: _Table) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, heading in enumerate(words.headings):
        table.add_column(heading, justify="left" if i == 0 else "right", no_wrap=True)
    for row in words.rows:
        table.add_row(*row)
    console.print(words.title, style="bold", soft_wrap=True, highlight=False)
    console.print(table)
    console.print()
