"""Evaluations in words: tables of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from cageflow.envs.options import MIXED_RULES
from cageflow.envs.perturbing import PERTURBING_STEPS, STARTS
from cageflow.evaluation.both import Parity
from cageflow.evaluation.leader_board import LeaderBoard, leader_board
from cageflow.evaluation.perturbed import Perturbed, PerturbedCell
from cageflow.evaluation.protocol import Cell, Evaluation
from cageflow.evaluation.statistics import ALPHA, POWER, Equivalence
from cageflow.scenario import is_cage2
from cageflow.scenario.durations import FROM_FILE, takes_time, words_on_time
from cageflow.scenario.red_agents import red_words
from cageflow.workflow.tested import OrderTests

WIDTH = 80
NAME_WIDTH, MEAN_WIDTH, SPREAD_WIDTH = 8, 8, 16
ACTIONS = {"sample": "actions drawn", "deterministic": "likeliest actions", "own": "its own choice of actions"}


def format_evaluation(evaluation: Evaluation) -> str:
    """The cells and the total of one agent, the winner of the board beside them where it played the same."""
    board = leader_board()
    settings, game = evaluation.settings, evaluation.settings.game
    scenario = game.unchecked_network.scenario
    means, spreads = zip(*map(_mean, evaluation.cells), strict=True)
    widths = (
        max(NAME_WIDTH, *(1 + len(red_words(red)) for red in settings.red_agents)),
        max(MEAN_WIDTH, *map(len, means)),
        max(SPREAD_WIDTH, 1 + max(map(len, spreads))),
    )
    lines = [
        evaluation.source.name,
        f"  rules {game.rules}, {_simulator(evaluation)}, {game.observation} observation"
        + (", green awake" if game.green else ""),
        *([] if is_cage2(settings.network) else [f"  network {settings.network}"]),
        *([f"  {words_on_time(scenario)}"] if takes_time(scenario) or game.durations != FROM_FILE else []),
        f"  {ACTIONS[evaluation.source.actions]}, {settings.episodes:,} episodes a cell, seed {settings.seed}",
        "",
        _row("", [(f"{length} steps", "") for length in settings.lengths], widths),
    ]
    winner = board.winner_cells(evaluation)
    for red in settings.red_agents:
        cells = [cell for cell in evaluation.cells if cell.red_agent == red]
        lines.append(_row(red_words(red), [_mean(cell) for cell in cells], widths))
        if winner is not None:
            lines.append(_row("  winner", [(f"{winner[cell.max_steps, red]:z.2f}", "") for cell in cells], widths))
    total = evaluation.total
    lines += [
        "",
        f"total {total.mean:z.2f} ± {total.half_width():.2f}, standard error {total.se:.2f}",
        "mean ± half the 95 % interval (standard deviation of an episode)",
    ]
    if evaluation.source.workflow is not None:
        lines.append(_compliance(evaluation))
    if evaluation.tests is not None:
        lines += _tests(evaluation.tests)
    if evaluation.perturbed is not None:
        lines += _perturbed(evaluation.perturbed)
    if evaluation.exploitability is not None:
        lines += textwrap.wrap(evaluation.exploitability.words(), WIDTH)
    if any(cell.chosen is not None for cell in evaluation.cells):
        lines += [_choices(evaluation, red) for red in settings.red_agents]
    trained = evaluation.source.trained_rules
    if trained not in (None, game.rules, MIXED_RULES):
        lines.append(f"trained under the rules {trained}")
    return "\n".join(lines)


def format_standing(evaluations: Sequence[Evaluation]) -> str:
    """Where evaluations stand on the challenge's leader board, or why they do not."""
    board = leader_board()
    comparable = [one for one in evaluations if board.compares_with(one)]
    if not comparable:
        return "\n".join(_why_not(board, evaluations[0]))
    rows = [(entry.total.mean, f"{entry.rank:4}", entry.team, entry.method, entry.total) for entry in board.entries]
    rows += [(one.total.mean, "   >", _last_part(one.source.name), _simulator(one), one.total) for one in comparable]
    rows.sort(key=lambda row: -row[0])
    lines = ["The challenge's final leader board, totals ± half the 95 % interval", f"  {board.source}"]
    for _, place, name, method, total in rows:
        score = f"{total.mean:9.2f} ± {total.half_width():.2f}"
        lines.append(f"{place}  {shorten(name, 26):26}  {shorten(method, 26):26}{score}")
    return "\n".join(lines)


def format_parity(parity: Parity) -> str:
    """Both simulators side by side, with the verdict of each test."""
    heading = f"Equivalence of the means, TOST by Welch's t, alpha {ALPHA:g}; interval: {100 - 200 * ALPHA:g} %"
    lines = [
        heading,
        f"{'':12}{'cageflow':>16}{'CybORG':>17}{'difference':>12}{'margin':>8}  verdict",
    ]
    for mine, its, test in zip(parity.ours.cells, parity.theirs.cells, parity.cells, strict=True):
        name = f"{mine.max_steps:4} {red_words(mine.red_agent)}"
        ours, theirs = (f"{side.summary.mean:z.2f} ± {side.summary.se:.2f}" for side in (mine, its))
        lines.append(_test_row(name, ours, theirs, test))
    ours, theirs = (f"{side.total.mean:z.2f} ± {side.total.se:.2f}" for side in (parity.ours, parity.theirs))
    lines.append(_test_row("total", ours, theirs, parity.total))
    episodes = [side.settings.episodes for side in (parity.ours, parity.theirs)]
    lines += [
        f"mean ± standard error; {episodes[0]:,} episodes a cell in cageflow, {episodes[1]:,} in CybORG",
        f"all {len(parity.cells)} cells equivalent"
        if all(test.verdict == "equivalent" for test in parity.cells)
        else f"{sum(test.verdict == 'equivalent' for test in parity.cells)} of {len(parity.cells)} cells equivalent",
    ]
    weak = [i for i, test in enumerate(parity.cells) if test.power < POWER]
    if weak:
        needed = max(parity.needed(i) for i in weak)
        lines.append(
            f"{len(weak)} tests have a power below {POWER:.0%}: {needed:,} episodes a cell on both sides would do"
        )
    return "\n".join(lines)


def shorten(text: str, width: int) -> str:
    """A text cut to a width, its end kept."""
    return text if len(text) <= width else f"…{text[-(width - 1) :]}"


def _test_row(name: str, ours: str, theirs: str, test: Equivalence) -> str:
    verdict = test.verdict if test.power >= POWER else f"{test.verdict}, power {test.power:.0%}"
    return f"{name:12}{ours:>16}{theirs:>17}{test.difference.mean:+z12.2f}{test.margin:8.2f}  {verdict}"


def _row(name: str, cells: Sequence[tuple[str, str]], widths: Sequence[int]) -> str:
    """A row of the table: its name, what stands under the means, and what follows them, in columns of these widths."""
    body = "".join(f"{mean:>{widths[1]}}{spread:{widths[2]}}" for mean, spread in cells)
    return f"{name:{widths[0]}}{body}".rstrip()


def _mean(cell: Cell) -> tuple[str, str]:
    summary = cell.summary
    decimals = 1 if summary.sd < 100 else 0  # so that three cells fit in 80 columns
    return f"{summary.mean:z.2f}", f" ± {summary.estimate.half_width():.2f} ({summary.sd:.{decimals}f})"


def _simulator(evaluation: Evaluation) -> str:
    return "compiled simulator" if evaluation.settings.cyborg_path is None else "CybORG"


def _why_not(board: LeaderBoard, evaluation: Evaluation) -> list[str]:
    settings, rules = evaluation.settings, evaluation.settings.game.rules
    if settings.game.durations != FROM_FILE:
        return ["Not compared with the leader board, which was judged where each action takes one step."]
    if not is_cage2(settings.network):
        return ["Not compared with the leader board, which was judged on CAGE-2's own network."]
    if rules == board.rules:
        return ["Not compared with the leader board: it takes all nine cells, on CAGE-2's network, green asleep."]
    lines = [f"Not compared with the leader board, which was judged under the rules {board.rules}."]
    cells = board.winner_elsewhere.get(rules)
    if cells is not None and settings.is_whole:
        lines.append(f"Under {rules} its winner, {board.entries[0].team}, scores {sum(cells.values()):.2f} in all.")
    return lines


def _compliance(evaluation: Evaluation) -> str:
    shares = []
    for red in evaluation.settings.red_agents:
        cells = [cell for cell in evaluation.cells if cell.red_agent == red and cell.compliance is not None]
        shares.append(f"{red_words(red)} {' '.join(f'{cell.compliance:.1%}' for cell in cells)}")
    return f"compliance with its order: {', '.join(shares)}"


def _tests(tests: OrderTests) -> list[str]:
    known, true = tests.in_words()
    return [f"fixes that tested it, as blue could know: {known}", f"{'by the truth':>40}: {true}"]


def _perturbed(perturbed: Perturbed) -> list[str]:
    """After each start: the mean returns by red agent, those of the rule by flags, and how the order was kept."""
    lines = [f"{perturbed.max_steps} steps after {PERTURBING_STEPS} in which blue was kept from acting:"]
    for start in STARTS:
        part = perturbed.of(start)
        lines.append(f"  {start:8}" + ", ".join(_beside_rule(cell) for cell in part.cells))
        if part.tests is not None and part.tests.known_compliance is not None:
            lines.append(f"{'':10}{part.tests.known_compliance:.1%} of the fixes that tested its order followed it")
    return lines


def _beside_rule(cell: PerturbedCell) -> str:
    mean, rule = (returns.mean() for returns in (cell.returns, cell.rule_returns))
    return f"{red_words(cell.red_agent)} {mean:z.2f} (by flags {rule:z.2f})"


def _choices(evaluation: Evaluation, red: str) -> str:
    """Whom a team chose against a red agent, over all lengths."""
    counts: dict[str, int] = {}
    for cell in evaluation.cells:
        if cell.red_agent == red and cell.chosen is not None:
            for name, count in cell.chosen.items():
                counts[name] = counts.get(name, 0) + count
    total = sum(counts.values())
    shares = ", ".join(f"{name} {count / total:.2%}" for name, count in counts.items() if count)
    return f"chosen against {red_words(red)}: {shares}"


def _last_part(name: str) -> str:
    """A name as short as it can be recognised: the last part of a path."""
    return "team" if name.startswith("team ") else Path(name).name or name
