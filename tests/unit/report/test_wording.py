"""Numbers and orders in words."""

import math

import pytest

from cageflow.evaluation.statistics import Estimate
from cageflow.report.wording import (
    count,
    interval,
    listed,
    number,
    order_words,
    percent,
    sentence,
    short_names,
    short_order,
    signed,
)
from tests.helpers.orders import parse_order


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-1234.567, 2, "−1,234.57"), (-0.001, 2, "0.00"), (0.5, 0, "0"), (math.nan, 1, "–"), (math.inf, 1, "–")],
)
def test_number(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_differences_have_signs_and_shares_do_not_break() -> None:
    assert (signed(2.0), signed(-2.0), signed(math.nan)) == ("+2.00", "−2.00", "–")
    assert percent(0.9541) == "95.4\N{NO-BREAK SPACE}%"


def test_interval_is_that_of_the_estimate() -> None:
    assert interval(Estimate(-10.0, 1.0, math.inf)) == "−11.96 to −8.04"
    assert interval(Estimate(0.0, 1.0, math.inf), sign=True) == "−1.96 to +1.96"


def test_orders_and_lists() -> None:
    order = parse_order("op_host,enterprise,op_server,user,defender")
    assert order_words(order) == "op_host → enterprise → op_server → user → defender"
    assert (short_order(order), order_words(None)) == ("oph>ent>ops>usr>def", "plain PPO")
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")
    assert (count(1, "trial"), count(2000, "trial")) == ("1 trial", "2,000 trials")


def test_short_names__are_alike_in_no_two_and_the_same_in_every_order() -> None:
    types = ("medical_imaging_database", "mail_import_duty", "mid", "workstation", "work", "op_server", "wor")
    short = short_names(types)
    assert short == short_names(types[::-1])
    assert len(set(short.values())) == len(types)
    assert (short["op_server"], short["mail_import_duty"], short["work"]) == ("ops", "mid", "work")
    assert max(map(len, short.values())) <= 5
    assert short_order(("a", "ab")) == "a>ab"


def test_sentences_of_the_command_line_have_a_capital_and_true_minus_signs():
    words = sentence("op-1 before user (-14.9 to +57.2), which came to -75.29; op-2 not.")
    assert words == "Op-1 before user (\N{MINUS SIGN}14.9 to +57.2), which came to \N{MINUS SIGN}75.29; op-2 not."
