"""Which names a network file may give, so that each can be printed, typed back and put in any file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from reprlib import Repr
from typing import Annotated

from pydantic import AfterValidator

MAX_NAME_LENGTH = 80
PARTS_ORDERS = ",>"
"""What stands between the unit types of an order."""

OTHER_ACTIONS = ("Sleep", "Monitor", "Analyse", "Remove", "Restore")
"""Of blue, besides its decoys."""

Place = tuple[str | int, ...]
"""Where something stands in a network file: the keys and positions that lead to it."""

_repr = Repr()
_repr.maxstring = MAX_NAME_LENGTH + 2
shorten = _repr.repr
"""What was given, as Python writes it: a name whole, anything longer with its middle left out."""


def _check_name(name: str) -> str:
    """Refuse what looks like another name, or like none: the words of an action would not lead back to it."""
    if not name or len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"expected a name of 1 to {MAX_NAME_LENGTH} characters, got {len(name)}")
    if not name.isprintable():
        raise ValueError(f"expected a name of visible characters and plain blanks, got {shorten(name)}")
    if name != " ".join(name.split()):
        raise ValueError(f"expected a name with no blank at its ends and no two in a row, got {shorten(name)}")
    if not unicodedata.is_normalized("NFC", name):
        raise ValueError(f"expected a name of composed letters (Unicode NFC), got {ascii(name)}")
    return name


def _check_ranked_name(name: str) -> str:
    if any(mark in name for mark in PARTS_ORDERS):
        raise ValueError(f"expected a name without a comma and >, which part the types of an order, got {name!r}")
    return name


Name = Annotated[str, AfterValidator(_check_name)]
"""Of anything in a network file: visible characters of any script, single blanks between them."""

RankedName = Annotated[Name, AfterValidator(_check_ranked_name)]
"""Of a unit type, which orders list."""


def normal_words(text: str) -> str:
    """What a person typed or another program wrote, as names are written: single blanks, composed letters."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def shown_place(place: Place) -> str:
    """A place in words, such as `hosts.User1.ports.0`; a key that is no single word stands in quotes."""
    return ".".join(
        str(step) if str(step).replace("-", "_").isidentifier() or isinstance(step, int) else shorten(step)
        for step in place
    )


def ambiguous_actions(hosts: Sequence[str], decoys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Decoys whose action on some host reads as another action does, as (decoy, the action's words)."""
    texts = {f"{verb} {host}" for verb in ("Analyse", "Remove", "Restore") for host in hosts}
    for decoy in decoys:
        own = {f"{decoy} {host}" for host in hosts}
        yield from ((decoy, text) for text in sorted(own & texts))
        texts |= own
