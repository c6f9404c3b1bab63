"""What an operator means for given types is worked out once, and options are compared by what they hold."""

import numba
import numpy as np
import pytest
from numba import njit
from numba.core import errors, ir, types
from numba.core.compiler import Flags, run_frontend
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


def test_record_and_sentence_of_an_error__say_what_they_said() -> None:
    typing_once.type_once()
    kinds = [np.dtype([("a", np.int64), ("b", np.float32, (2,))]), np.dtype([("a", np.int64)])]
    for record in [numba.from_dtype(kind) for kind in kinds]:
        assert repr(record) == repr(record) == f"Record([{fields_of(record)}], {record.size}, {record.aligned})"
    colours = pytest.importorskip("colorama").Style
    scheme = errors.HighlightColorScheme()
    assert scheme.errmsg("no") == f"{colours.BRIGHT}no{colours.RESET_ALL}"


def fields_of(record: types.Record) -> str:
    return ", ".join(
        f"('{name}', {{'type': {one.type!r}, 'offset': {one.offset}, 'alignment': {one.alignment}, "
        f"'title': {one.title}, }})"
        for name, one in record.fields.items()
    )


def test_variables_of_a_statement__are_listed_as_numba_lists_them() -> None:
    typing_once.type_once()

    def plays(a, b, *rest):
        total = {1: a}
        for i, (x, y) in enumerate(zip(b, rest, strict=False)):
            a[i : x + 1, y] = total.get(1, other(x, key=y)) if x > 0 else (x, [y, a])
        assert total, a
        return total

    def other(x, key):
        raise ValueError(x, key)

    num_variables = 0
    for function in (plays, other):
        for block in run_frontend(function).blocks.values():
            for statement in block.body:
                expected = statement._rec_list_vars(statement.__dict__)
                assert statement.list_vars() == expected, statement
                num_variables += len(expected)
                value = getattr(statement, "value", None)
                if isinstance(value, ir.Expr):
                    assert value.list_vars() == value._rec_list_vars(value._kws), statement
    assert num_variables > 100
