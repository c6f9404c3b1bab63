"""What a search has found, in words and as `--json` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cageflow import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from cageflow.analysis.answer import Answer
    from cageflow.measure.differences import Differences


def print_answer(answer: Answer) -> None:
    """The answer's sentences, the last words of a search."""
    from rich.text import Text

    from cageflow.analysis.answer_words import sentences

    console = terminal.make_console(highlight=False, soft_wrap=True)
    first, *others = sentences(answer)
    console.print(Text("\n") + Text(first[0].upper() + first[1:], "bold"))
    for sentence in others:
        console.print(Text(sentence))


def answer_json(answer: Answer) -> dict[str, Any]:
    """The entries of an answer."""
    from dataclasses import asdict

    from cageflow.analysis.answer_words import sentences

    orders, plain, gain = answer.orders, answer.plain, answer.over_plain
    return {
        "network": answer.network,
        "answer": list(sentences(answer)),
        "precedences": [] if orders is None else [one.to_json() for one in orders.precedences],
        "tied_orders": None if orders is None else orders.tied_orders,
        "orders": None if orders is None else orders.num_orders,
        "untested": [] if orders is None else [list(pair) for pair in orders.untested],
        "baselines": {} if plain is None else {"plain_ppo": plain.mean},
        "baseline_trainings": {} if plain is None else {"plain_ppo": asdict(plain)},
        "over_plain_ppo": None if gain is None else {**asdict(gain), "is_better": gain.is_better},
    }


def print_differences(console: Console, found: Differences) -> None:
    """Whether the orders of a landscape differ, and by what."""
    from rich.text import Text

    from cageflow.analysis.differences_words import sentences

    first, *others = sentences(found)
    console.print(Text("\n") + Text(first, "bold"))
    for sentence in others:
        console.print(Text(sentence), soft_wrap=True)
