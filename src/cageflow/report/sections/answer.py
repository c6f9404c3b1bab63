"""The answer first: which workflow, how good, and what it beats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cageflow.evaluation.statistics import Estimate, summarize
from cageflow.report.content import Block, Card, Cards, Prose, Section, Table
from cageflow.report.material import Material
from cageflow.report.results import OrderResult, measured_estimate, num_clearly_beaten, paired_difference
from cageflow.report.wording import count, interval, number, order_words, percent, signed

NUM_OTHERS = 5
"""Other orders in the table."""


def section(material: Material) -> Section:
    """The section."""
    blocks: list[Block] = [Cards(tuple(_cards(material)))]
    blocks += [_beaten(material), Prose(tuple(_reservations(material)))]
    return Section("answer", _title(material), tuple(blocks), "Answer")


def _title(material: Material) -> str:
    if material.run.config.trains_anew and material.run.is_feasible:
        return "Best policy"
    if material.run.tries_orders:
        return "Best workflow" if material.run.is_feasible else "Closest to a workflow"
    return "The trained policy"


def _cards(material: Material) -> list[Card]:
    run, playbook = material.run, material.playbook
    episodes = f"{playbook.num_episodes:,} fresh episodes"
    cards = [Card("Trained", "Plain PPO", "no workflow")]
    if run.order is not None:
        cards = [Card("The order that it follows", order_words(run.order))]
    cards.append(
        Card("Reward an episode", number(material.fresh.mean), f"95 % interval {interval(material.fresh)}, {episodes}")
    )
    if run.order is not None:
        compliance = summarize(playbook.compliance).estimate
        low, high = compliance.interval()
        cards.append(
            Card(
                "Compliance",
                percent(compliance.mean),
                f"95 % interval {percent(low)} to {percent(min(1.0, high))}{_logged_compliance(material)}; "
                f"{_standard(material)}",
            )
        )
    saved = paired_difference(playbook.returns, playbook.idle_returns)
    idle = float(np.mean(playbook.idle_returns))
    cards.append(Card("Better than an idle blue by", number(saved.mean, 1), f"which comes to {number(idle, 1)}"))
    return cards


def _standard(material: Material) -> str:
    """What compliance is held against."""
    config = material.run.config
    if config.is_enforced:
        return "the order is enforced by what blue can know, and this is by the truth"
    return f"the threshold is {percent(config.compliance_threshold, 0)}"


def _logged_compliance(material: Material) -> str:
    """What the run itself measured."""
    measured = material.run.measured
    return "" if measured is None else f"; {percent(measured.compliance)} by the run itself"


def _beaten(material: Material) -> Table:
    """Rewards and differences, with intervals."""
    run, playbook = material.run, material.playbook
    name = order_words(run.order) if run.order is not None else "Plain PPO"
    rows: list[tuple[str, ...]] = [
        (f"{name} (this policy)", "fresh", number(material.fresh.mean), interval(material.fresh), "", "")
    ]
    rivals = [("Idle: Sleep in every step", playbook.idle_returns)]
    rivals += [(rival.name, rival.returns) for rival in material.rivals]
    for words, returns in rivals:
        rows.append(_row(words, "fresh", summarize(returns).estimate, paired_difference(playbook.returns, returns)))
    if run.best is not None:
        own = _own_result(material)
        source, how = "log", f"mean of {count(own.trials, 'training')}" if _is_mean(material) else "as logged"
        if _is_measured(material):
            source, how = "end", "as the run measured it when it ended"
        rows.append((f"{name} ({how})", source, number(own.estimate.mean), interval(own.estimate), "", ""))
        if run.recommendation is not None and run.recommendation.final is not None:
            before = measured_estimate(run, run.recommendation.evaluation)
            rows.append(_row(f"{name} (as the search left it)", "end", before, own.estimate - before))
        for other in _feasible_others(material)[:NUM_OTHERS]:
            rows.append(_row(order_words(other.order), "log", other.estimate, own.estimate - other.estimate))
    return Table(
        "What it beats: mean reward an episode, and how much better this policy is",
        ("Policy", "Figures", "#Reward", "#95 % interval", "#Better by", "#95 % interval of that"),
        tuple(rows),
        marked=frozenset({0}),
    )


def _row(words: str, source: str, estimate: Estimate, difference: Estimate) -> tuple[str, ...]:
    return (
        words,
        source,
        number(estimate.mean),
        interval(estimate),
        signed(difference.mean),
        interval(difference, sign=True),
    )


def _reservations(material: Material) -> list[str]:
    """What the figures are and are not."""
    run, playbook = material.run, material.playbook
    words = [
        f"“Fresh” figures are from {playbook.num_episodes:,} episodes that neither trained nor chose any policy, the "
        "same ones for all that are compared, so their differences are paired."
    ]
    if any(rival.run.order is None for rival in material.rivals) and run.order is not None:
        words.append(
            "Plain PPO is held to no workflow: where it is better, the difference is what following one costs, and "
            "what different lengths of training make."
        )
    if run.best is None:
        return words
    words[0] += f" Those of the log are from {run.config.evaluation_episodes:,} episodes after each training"
    if _is_measured(material):
        words[0] += ", the one of the end from as many of its own, which chose nothing."
        if (final := run.final) is not None:
            words.append(
                f"When the trials had used their {final.after:,} episodes, the best workflow was trained on with "
                f"{final.episodes:,} that were kept back: the figures of other workflows are of shorter trainings."
            )
    else:
        words[0] += "; the best was chosen by them, so its own flatters it a little."
    return [*words, _among_the_tried(material)]


def _among_the_tried(material: Material) -> str:
    """How the best workflow stands among those that were tried."""
    run = material.run
    feasible, whole, given_up = sum(one.feasible for one in material.results), len(material.results), material.given_up
    tried = f"Of the {count(whole, 'workflow')} {material.how_tried}, {feasible} reached the compliance threshold"
    if run.config.is_enforced:
        tried = f"{count(whole + given_up, 'workflow')} {'was' if whole + given_up == 1 else 'were'} tried"
        tried += f", {whole} of them {material.how_tried}" if given_up else ""
    if not run.is_feasible:
        return (
            f"{tried}. The one above came closest, and its reward is that of a policy which does not follow it well "
            "enough: train on."
        )
    others = _feasible_others(material)
    if not others:
        return f"{tried}: there is no other to compare it with yet."
    own = _own_result(material)
    beaten = _part(num_clearly_beaten(own, others), len(others))
    if not _is_mean(material):
        return (
            f"{tried}. By the log the best beats {beaten} by more than the chance of the evaluation episodes. What "
            "another training of the same order would have come to is not in that chance, and orders that were trained "
            "longer have an advantage."
        )
    first = max((own, *others), key=lambda one: one.estimate.mean)
    rank = sorted((own, *others), key=lambda one: -one.estimate.mean).index(own) + 1
    return (
        f"{tried}. The policy above is the best of {count(len(run.comparable), 'training')}, which is luck in part. By "
        f"the mean of its trainings its workflow has rank {rank} of the {len(others) + 1} that comply, and it beats "
        f"{beaten} by more than the chance of trainings; the first is {order_words(first.order)}, "
        f"{number(first.estimate.mean)} (95 % interval {interval(first.estimate)})."
    )


def _own_result(material: Material) -> OrderResult:
    """What the best policy's workflow came to: as the run measured it at its end, or its trainings."""
    run = material.run
    own = next(one for one in material.results if one.order == run.order)
    if not _is_measured(material):
        return own
    assert run.measured is not None, "what is recommended was measured"
    return replace(own, estimate=measured_estimate(run, run.measured))


def _is_measured(material: Material) -> bool:
    """Whether the run measured its best policy afresh, and stands by that."""
    return material.run.recommendation is not None and not _is_mean(material)


def _feasible_others(material: Material) -> list[OrderResult]:
    """The other workflows that comply, the best first."""
    return [one for one in material.results if one.feasible and one.order != material.run.order]


def _is_mean(material: Material) -> bool:
    """Whether the results are means of several trainings."""
    return material.run.config.trains_anew and any(one.trials > 1 for one in material.results)


def _part(beaten: int, others: int) -> str:
    """How many of the other feasible orders, in words."""
    if others == 1:
        return "the other" if beaten else "the other, though not"
    return f"all {others} others" if beaten == others else f"{beaten} of the {others} others"
