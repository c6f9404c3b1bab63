"""What the policy does, as a few rules, and how often it keeps to them."""

from __future__ import annotations

from cageflow.analysis.rules import MAX_RULES, FittedRules
from cageflow.report.content import Points, Prose, Section, Table
from cageflow.report.material import Material
from cageflow.report.wording import DASH, percent

FAITHFUL = 0.8
"""Fidelity below which the rules say too little of the policy."""


def section(material: Material) -> Section:
    """The section."""
    rules = FittedRules.from_json(material.playbook.rules)
    few = rules.fidelity < FAITHFUL
    warning = " The policy does more than so few rules can say: take them for a first impression." if few else ""
    points = (
        (
            "Fidelity",
            f"{percent(rules.fidelity)}: so often the rules say what the policy would most likely do, in the steps "
            f"of {rules.fresh_episodes:,} fresh episodes. Its one commonest choice is right in "
            f"{percent(rules.commonest)}.{warning}",
        ),
        (
            "How",
            f"a decision tree of at most {MAX_RULES} leaves, fitted to {rules.fitted_episodes:,} other episodes. It "
            "speaks of what blue sees, never of what is hidden from it.",
        ),
    )
    return Section("rules", "What it does, in rules", (Points(points), _table(rules), _reading()), "Playbook")


def _table(rules: FittedRules) -> Table:
    rows = []
    for i, rule in enumerate(rules.rules):
        words = " and ".join(rule.conditions)
        condition = f"If {words}" if i == 0 else f"Else, if {words}"
        agreement = DASH if rule.agreement is None else percent(rule.agreement, 0)
        rows.append((condition if words else "Else", rule.choice, percent(rule.share), agreement))
    return Table(
        "The first rule that applies counts",
        ("Condition", "It would", "#Steps", "#Agrees"),
        tuple(rows),
    )


def _reading() -> Prose:
    return Prose(
        (
            "Steps: share of all steps in which the rule is the first that applies. Agrees: share of these in which it "
            "is the policy's likeliest choice. All decoys on a host are one choice.",
        )
    )
