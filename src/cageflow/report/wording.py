"""How figures and orders are put in words; every number on the page goes through here."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from cageflow.evaluation.statistics import Estimate
from cageflow.scenario.orders import Order, log_order, print_order

MINUS, DASH, NO_BREAK = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus sign and commas between thousands; a dash for what is none."""
    if not math.isfinite(value):
        return DASH
    text = f"{value:,.{digits}f}"
    if not any("1" <= digit <= "9" for digit in text):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def sentence(words: str) -> str:
    """A sentence of the command line as the page has it: with a capital, and true minus signs."""
    text = re.sub(r"(?<![\w.])-(?=\d)", MINUS, words)
    return f"{text[:1].upper()}{text[1:]}"


def signed(value: float, digits: int = 2) -> str:
    """A difference, with its sign."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or text == DASH else f"+{text}"


def percent(share: float, digits: int = 1) -> str:
    """A share of 1 in per cent."""
    return DASH if not math.isfinite(share) else f"{number(100.0 * share, digits)}{NO_BREAK}%"


def interval(estimate: Estimate, digits: int = 2, sign: bool = False) -> str:
    """The 95 % interval of an estimate."""
    word = signed if sign else number
    low, high = estimate.interval()
    return f"{word(low, digits)} to {word(high, digits)}"


def order_words(order: Order | None) -> str:
    """An order, highest priority first, with arrows; "plain PPO" for none."""
    return "plain PPO" if order is None else print_order(order)


def short_order(order: Order | None) -> str:
    """An order in a few letters, for the legends of charts: `ent>usr>ops>oph>def`."""
    return "plain PPO" if order is None else log_order([SHORT.get(unit_type, unit_type) for unit_type in order])


SHORT = {"defender": "def", "enterprise": "ent", "op_server": "ops", "op_host": "oph", "user": "usr"}
"""Unit types in three letters."""


def count(amount: int, one: str, many: str | None = None) -> str:
    """An amount and what it is of: 1 trial, 3 trials."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words in a row: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
