"""What an operator means for given types is worked out once, and options are compared by what they hold."""

import numpy as np
import pytest
from numba import njit
from numba.core.compiler import Flags
from numba.core.errors import TypingError
from numba.core.types.functions import BaseFunction

from cageflow.numerics import typing_once


def test_options_are_alike_where_one_is_set_to_its_default_and_not_where_they_differ() -> None:
    typing_once.type_once()
    plain, said, other = Flags(), Flags(), Flags()
    said.nrt = Flags.options["nrt"].default
    other.nrt = not Flags.options["nrt"].default
    assert plain == said
    assert hash(plain) == hash(said)
    assert plain != other
    assert plain != "plain"


def test_meaning_of_an_operator_is_looked_up_once_for_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    typing_once.type_once()
    asked = []
    patched = set()
    resolve = BaseFunction.get_call_type

    def watch(function, context, args, kws):
        for template in set(function.templates) - patched:
            patched.add(template)
            apply = template.apply
            monkeypatch.setattr(template, "apply", lambda *given, apply=apply: asked.append(given) or apply(*given))
        return resolve(function, context, args, kws)

    monkeypatch.setattr(BaseFunction, "get_call_type", watch)

    @njit
    def add(a, b, c):
        return a + b + c

    @njit
    def add_more(a, b, c):
        return a + b + c + a + b + c

    numbers = np.int64(1), np.int64(2), np.int64(3)
    assert add(*numbers) == 6
    once = len(asked)
    assert add_more(*numbers) == 12
    assert len(asked) == once


def test_what_cannot_be_is_refused_each_time() -> None:
    typing_once.type_once()

    @njit
    def add(a, b):
        return a + b

    for _ in range(2):
        with pytest.raises(TypingError, match="No implementation"):
            add(1, (2, 3))
