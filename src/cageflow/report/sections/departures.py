"""Where the policy departs from its workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cageflow.analysis.playbook import Playbook
from cageflow.analysis.turns import NOTHING_DUE
from cageflow.report.content import Block, Chart, Points, Section, Table
from cageflow.report.drawing import shaded_grid
from cageflow.report.material import Material
from cageflow.report.wording import count, listed, number, order_words, percent
from cageflow.scenario.orders import OrderSpace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cageflow.scenario.orders import Order

MAX_KINDS = 4
WORDS_ON_STARTS = {"asleep": "in which blue slept", "random": "in which blue played at random"}


def num_departures(turns: npt.NDArray[np.int64]) -> int:
    """Fixes out of turn among (n + 1, n) fixes by due and fixed type."""
    return int(turns[:NOTHING_DUE].sum() - np.trace(turns[:NOTHING_DUE]))


def section(material: Material) -> Section | None:
    """The section; none for plain PPO, which has no workflow to depart from."""
    run, playbook = material.run, material.playbook
    if run.order is None:
        return None
    turns = np.array(playbook.turns, np.int64)
    fixes, out = int(turns.sum()), num_departures(turns)
    chart = Chart(
        name="departures",
        title="What was due, and what it fixed",
        text=f"Fixes by the unit type that was due and the unit type that was fixed; {out} of {fixes} out of turn. The "
        "figures stand in the table below.",
        draw=lambda figure, narrow: _draw(figure, narrow, turns, run.orders, run.order or ()),
        heights=(80 + 45 * (len(run.order) + 1), 80 + 42 * (len(run.order) + 1)),
        note="Share of all fixes. Due is the highest type of the workflow that red holds; a fix of another type is out "
        "of turn (amber). With nothing compromised any fix follows the workflow.",
        table=_table(material, turns, run.order),
    )
    blocks: list[Block] = [Points(tuple(_sentences(material, turns, fixes, out))), chart]
    if playbook.departures:
        blocks.append(_examples(material))
    return Section("departures", "Where it departs from its workflow", tuple(blocks), "Playbook")


def _sentences(material: Material, turns: npt.NDArray[np.int64], fixes: int, out: int) -> list[tuple[str, str]]:
    playbook = material.playbook
    words = [
        (
            "Out of turn",
            f"{number(material.per_episode(out))} of {number(material.per_episode(fixes))} fixes an episode "
            f"({percent(out / fixes) if fixes else '0 %'}).",
        )
    ]
    words += _put_to_the_test(playbook)
    if not out:
        return words
    unit_types = material.run.orders.unit_types
    for due, fixed, amount in _kinds(turns)[:MAX_KINDS]:
        words.append(
            (
                f"{unit_types[fixed]} while {unit_types[due]} was due",
                f"{percent(amount / out, 0)} of them, {number(material.per_episode(amount))} an episode.",
            )
        )
    words.append(
        (
            "Without need",
            f"{percent(playbook.departures_on_clean / out, 0)} of the fixes out of turn were of hosts that red did not "
            "hold.",
        )
    )
    if material.run.config.compliance_definition == "any-session":
        words += [("Mind", sentence) for sentence in _never_clean(material)]
    return words


def _put_to_the_test(playbook: Playbook) -> list[tuple[str, str]]:
    """What the fixes say of the order that tested it, and what becomes of it where the policy has never been."""
    tests, perturbed = playbook.tests, playbook.perturbed
    known, true = (
        f"{number(tests[tested])} an episode"
        + (f", {percent(tests[complied] / tests[tested])} followed it" if tests[tested] else "")
        for tested, complied in (("known_tested", "known_compliant"), ("tested", "tested_compliant"))
    )
    words = [
        (
            "Put to the test",
            f"fixes while two or more unit types were held that a fix could serve: by what blue could know {known}; by "
            f"the truth {true}.",
        )
    ]
    for start, figures in perturbed["starts"].items():
        share = figures["tested_compliance"]
        followed = "no fix tested the order" if share is None else f"{percent(share)} of the tests followed the order"
        words.append(
            (
                f"After {perturbed['steps']} steps {WORDS_ON_STARTS[start]}",
                f"{number(figures['mean'])} in {perturbed['max_steps']} steps, where a rule that restores the dearest "
                f"flagged host comes to {number(figures['rule_mean'])}; {followed}.",
            )
        )
    return words


def _never_clean(material: Material) -> list[str]:
    """What it means for a workflow that red cannot be evicted from the hosts that it begins on."""
    network, order = material.run.config.game().unchecked_network, material.run.order or ()
    begins_on = (network.tables["start_privileged"] > 0) | (network.tables["start_user"] > 0)
    of_types = {network.unit_types[i] for i in network.host_unit_type[begins_on].tolist()}
    always = [unit_type for unit_type in order if unit_type in of_types]
    if not always:
        return []
    hosts = listed([host for host, is_start in zip(network.hosts, begins_on, strict=True) if is_start])
    verb = "counts" if len(always) == 1 else "count"
    return [
        f"red cannot be evicted from {hosts}, so {listed(always)} {verb} as compromised at all times, and whatever "
        f"stands behind {always[0]} in the workflow is never due."
    ]


def _kinds(turns: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """(due, fixed, how often) of the fixes out of turn, the most frequent first."""
    kinds = [
        (due, fixed, int(turns[due, fixed]))
        for due in range(turns.shape[1])
        for fixed in range(turns.shape[1])
        if due != fixed and turns[due, fixed]
    ]
    return sorted(kinds, key=lambda kind: -kind[2])


def _draw(figure: Figure, narrow: bool, turns: npt.NDArray[np.int64], orders: OrderSpace, order: Order) -> None:
    axes = figure.subplots()
    ranked = orders.indices(order).tolist()
    rows = [*ranked, NOTHING_DUE]
    labels = [*order, "nothing"]
    table = turns[np.ix_(rows, ranked)]
    strongest = float(table.max()) or 1.0
    share = [[None if cell == 0 else (cell / strongest) ** 0.35 for cell in line] for line in table.tolist()]
    out = [[i != j and i < len(order) for j in range(len(order))] for i in range(len(rows))]
    words = [[_share(cell, int(turns.sum())) for cell in line] for line in table.tolist()]
    size = 10.0 if narrow else 11.5
    for colour, wanted in (("teal", False), ("amber", True)):
        part = [[cell if out[i][j] == wanted else None for j, cell in enumerate(line)] for i, line in enumerate(share)]
        shaded_grid(axes, part, words, labels, labels[:-1], colour, size)
    axes.set_xlabel("fixed")
    axes.set_ylabel("due")


def _share(amount: int, total: int) -> str:
    share = amount / total if total else 0.0
    return "<0.1 %" if 0 < share < 0.001 else percent(share)


def _table(material: Material, turns: npt.NDArray[np.int64], order: Order) -> Table:
    rows = []
    orders = material.run.orders
    ranked = orders.indices(order).tolist()
    for due in [*ranked, NOTHING_DUE]:
        name = "nothing" if due == NOTHING_DUE else orders.unit_types[due]
        rows.append((name, *(number(material.per_episode(int(turns[due, fixed])), 3) for fixed in ranked)))
    return Table(
        f"Fixes an episode by what was due and what was fixed, of the workflow {order_words(order)}",
        ("Due", *(f"#{unit_type}" for unit_type in order)),
        tuple(rows),
        folded="The same as a table",
    )


def _examples(material: Material) -> Table:
    rows = [
        (
            one.action,
            one.due,
            ", ".join(one.held),
            f"episode {one.episode}, step {one.step}",
        )
        for one in material.playbook.departures
    ]
    return Table(
        f"{count(len(rows), 'example')} of fixes out of turn, the most frequent kind first",
        ("It did", "Due was", "Red held (of what counts)", "Where"),
        tuple(rows),
        folded="Examples of fixes out of turn",
    )
