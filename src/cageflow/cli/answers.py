"""What a search has found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def print_differences(console: Console, found: Differences) -> None:
    """Whether the orders of a landscape differ, and by what."""
    from rich.text import Text

    from cageflow.analysis.differences_words import sentences

    first, *others = sentences(found)
    console.print(Text("\n") + Text(first, "bold"))
    for sentence in others:
        console.print(Text(sentence), soft_wrap=True)
