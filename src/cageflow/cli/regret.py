"""The command that measures strategies on a landscape: regret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
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

    from cageflow.analysis.landscapes import OpenLandscape
    from cageflow.measure.regret import Contender

STRATEGIES = "curves,gp-ucb,thompson,asha,random,round-robin,canonical"
KERNELS = "evidence,mallows,position,pairwise"


@app.command()
def regret(
    landscapes: Annotated[
        list[str],
        typer.Argument(
            metavar="LANDSCAPE...",
            help="Tables or run folders of `cageflow landscape`, or shipped ones by name, such as cage2-cage4-meander.",
            show_default=False,
        ),
    ],
    repetitions: Annotated[
        int, typer.Option(help="Replays of each strategy, at least 2.", min=2, metavar="<int>")
    ] = 200,
    trials: Annotated[int, typer.Option(help="Trials of each replay.", min=1, metavar="<int>")] = 60,
    strategy: Annotated[
        str | None,
        option(
            "Strategies, separated by commas; also random-feasible, one-order and plain-ppo.",
            f"{STRATEGIES}, one-order and plain-ppo as far as they can be had",
        ),
    ] = None,
    workflow: Annotated[
        str | None, option("The order that one-order trains throughout.", "the network's order by worth")
    ] = None,
    kernel: Annotated[
        str, typer.Option(help="Kernels that gp-ucb is replayed with, separated by commas; the others take the first.")
    ] = KERNELS,
    beta: Annotated[float, typer.Option(help="Weight of the deviation in UCB = mean + beta * deviation.")] = 2.0,
    gate: Annotated[
        str | None, option("feasibility or strict.", "strict where orders are enforced, else feasibility")
    ] = None,
    compliance_threshold: Annotated[
        float | None, option("Compliance of an order that can be followed.", "the landscape's own, else 0.95")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0, metavar="<int>")] = 0,
    n_workers: Annotated[int | None, option("Processes that share the work.", "the cores of this machine")] = None,
    out: Annotated[
        Path | None,
        option("Folder for regret.csv, calibration.csv and the plot.", "NAME-regret, beside NAME.csv"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay search strategies on a landscape: how far from its best order they are after so many trials."""
    from cageflow.analysis.landscapes import open_landscape, table_in
    from cageflow.errors import UserError
    from cageflow.files import check_output_folder

    console = terminal.make_console(stderr=as_json)
    opened = [(table_in(name), open_landscape(name)) for name in landscapes]
    if out is not None and len(opened) > 1:
        raise UserError(f"--out is one folder, but {len(opened)} landscapes are given: leave it out or give one")
    folders = [out or path.with_name(f"{path.stem}-regret") for path, _ in opened]
    for folder in folders:
        check_output_folder(folder)
    measured = []
    with ExitStack() as stack:
        say = stack.enter_context(Telling("reading the landscape"))
        given = _Given(
            None if strategy is None else _names(strategy), _names(kernel), beta, gate, compliance_threshold, workflow
        )
        work = _worker(stack, say, n_workers, repetitions, trials, given, seed, [one for _, one in opened])
        for (path, one), folder in zip(opened, folders, strict=True):
            measured.append(work(path, one, folder))
    for figures in measured:
        _print(console, figures)
    if as_json:
        print_json({"landscapes": measured})


class _Given(NamedTuple):
    """What the user asks of the contenders; None for what the landscape says, or as far as it goes."""

    strategies: Sequence[str] | None
    kernels: Sequence[str]
    beta: float
    gate: str | None
    compliance_threshold: float | None
    order: str | None


def _contenders(given: _Given, one: OpenLandscape) -> list[Contender]:
    """Who is replayed on a landscape."""
    from cageflow.errors import UserError
    from cageflow.measure.regret import PLAIN, make_contenders
    from cageflow.search.strategies import StrategySettings

    if given.order is not None and given.strategies is not None and "one-order" not in given.strategies:
        raise UserError(
            "--workflow is the order of the contender one-order: name that among --strategy, or leave it out"
        )
    gate = given.gate or ("feasibility" if one.about is None else one.about.gate)
    threshold = _threshold(given, one)
    settings: dict[str, Any] = {"beta": given.beta, "gate": gate, "compliance_threshold": threshold}
    kernels: list[Any] = list(given.kernels)
    order = one.by_worth if given.order is None else one.table.space.parse(given.order)
    plain = one.rewards_of("plain_ppo")
    strategies = given.strategies
    if strategies is None:
        more = [*(["one-order"] if order is not None else []), *([PLAIN] if plain else [])]
        strategies = [*_names(STRATEGIES), *more]
    return make_contenders(strategies, kernels, StrategySettings(**settings), order, plain)


def _threshold(given: _Given, one: OpenLandscape) -> float:
    return one.threshold if given.compliance_threshold is None else given.compliance_threshold


def _worker(
    stack: ExitStack,
    say: Telling,
    n_workers: int | None,
    repetitions: int,
    trials: int,
    given: _Given,
    seed: int,
    opened: Sequence[OpenLandscape],
) -> Callable[[Path, OpenLandscape, Path], dict[str, Any]]:
    """What measures one landscape; refuses nonsense before any work is begun."""
    from cageflow.analysis.differences_words import sentences
    from cageflow.errors import UserError
    from cageflow.measure.calibration import measure_calibration
    from cageflow.measure.regret import measure_regret
    from cageflow.report.regret_figures import calibration_figures, regret_figures, write_regret
    from cageflow.report.sections.prices import write_prices
    from cageflow.sim.threads import available_cores
    from cageflow.work.executors import make_executor

    for one in opened:
        _contenders(given, one)
    workers = available_cores() if n_workers is None else n_workers
    if not 1 <= workers <= MAX_WORKERS:
        raise UserError(f"--n-workers is {workers}: expected 1 to {MAX_WORKERS}")
    executor = stack.enter_context(make_executor("process", workers)).executor if workers > 1 else None

    def replay(path: Path, one: OpenLandscape, folder: Path) -> tuple[dict[str, Any], list[Path]]:
        contenders, table = _contenders(given, one), one.table.whole
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
        kernels: list[Any] = list(given.kernels)
        parts = measure_calibration(
            table,
            kernels,
            compliance_threshold=_threshold(given, one),
            splits=CALIBRATION_SPLITS,
            seed=seed,
            curves=any(contender.strategy == "curves" for contender in contenders),
            executor=executor,
            on_progress=say.counting(f"{path.name}: calibrations"),
        )
        files = write_regret(folder, regrets, parts, f"{path.stem}, {repetitions} replays")
        return {"regret": regret_figures(regrets), "calibration": calibration_figures(parts)}, files

    def measure(path: Path, one: OpenLandscape, folder: Path) -> dict[str, Any]:
        figures: dict[str, Any] = {"regret": [], "calibration": []}
        files: list[Path] = []
        if not one.is_sample:
            figures, files = replay(path, one, folder)
        found = one.differences(_threshold(given, one))
        files += write_prices(folder, found, f"{path.stem}: what every order is worth")
        return {
            "landscape": str(path),
            "about": None if one.about is None else asdict(one.about),
            "orders": len({row.order for row in one.table.rows}),
            "of_orders": len(one.table.space),
            "seeds": len(one.table.seeds),
            "repetitions": repetitions,
            **figures,
            "differences": found.to_json(),
            "words": [*_heading(one), *sentences(found)],
            "files": [str(file) for file in files],
        }

    return measure


def _heading(one: OpenLandscape) -> list[str]:
    """What the landscape is, and why nothing was replayed where nothing was."""
    words = []
    if one.about is not None:
        words.append(f"{one.about.in_words}.")
    trained, whole = len(one.table.full.rows), len(one.table.whole.full.rows)
    if whole < trained:
        words.append(
            f"It has {trained - whole} trainings that not all orders have: they count where orders are compared, and "
            "are left out of the replays."
        )
    if one.is_sample:
        number = len({row.order for row in one.table.rows})
        words.append(
            f"A sample of {number} of the {len(one.table.space):,} orders: what a strategy would have found among the "
            "others is not known, so none was replayed."
        )
    return words


CALIBRATION_SPLITS = 50
MAX_WIDTH = 1000
MAX_WORKERS = 1024  # the system breaks down on absurd numbers


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(console: Console, figures: dict[str, Any]) -> None:
    """The tables of one landscape."""
    names = ("simple_regret", "cumulative_regret") if figures["regret"] else ()
    tables = [_regret_table(figures["regret"], name) for name in names]
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
    # Figures that a narrow window cuts off are none: the window breaks the lines.
    width = console.width
    console.width = max(width, console.measure(table, options=console.options.update(max_width=MAX_WIDTH)).maximum)
    console.print(table, crop=False)
    console.width = width
    console.print()
