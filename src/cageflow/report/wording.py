"""How figures and orders are put in words; every number on the page goes through here."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

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
    if order is None:
        return "plain PPO"
    short = short_names(order)
    return log_order([short[unit_type] for unit_type in order])


def short_names(unit_types: Collection[str]) -> dict[str, str]:
    """Unit types in three letters or a few more: by their initials where they have several words; alike in no two.

    They hang on which types there are, not on their order.
    """
    short: dict[str, str] = {}
    for name in sorted(unit_types):
        words = [word for word in re.split(r"[^\w]|_", name) if word]
        first = SHORT.get(name) or ("".join(word[0] for word in words) if len(words) > 1 else name[:3])
        longer = [first, *(name[:length] for length in range(3, len(name) + 1))]
        short[name] = next((one for one in longer if one not in short.values()), f"{first}{len(short)}")
    return short


SHORT = {"defender": "def", "enterprise": "ent", "op_server": "ops", "op_host": "oph", "user": "usr"}
"""CAGE-2's unit types in three letters."""


def count(amount: int, one: str, many: str | None = None) -> str:
    """An amount and what it is of: 1 trial, 3 trials."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words in a row: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
