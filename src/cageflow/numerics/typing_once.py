"""What Numba works out again and again while it compiles, worked out once: a first start waits less.

Numba 0.68 goes through all that an operator may mean at each place where it stands, and writes down why each of them is
not meant; a place is looked at several times. Beside that it compares the options of what it compiles, some twenty
properties, at each of these steps; writes out the types of all arguments, field by field where they are records, before
each of some thirty steps; begins and ends a terminal's colours for each sentence that an error might have; and asks of
all that belongs to a statement whether it is a variable, ten times a function. What an operator means for given types
does not change, so here it is kept, two sets of options whose contents are the same dictionary are the same, and the
rest is done by a shorter way. What is compiled is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cageflow.numerics.patching import KNOWN_VERSIONS, patch_once


@patch_once(*KNOWN_VERSIONS)
def type_once() -> None:
    """Have Numba keep what it has found out of types from now on."""
    _compare_options_by_content()
    _resolve_operators_once()
    _write_records_out_once()
    _colour_without_a_terminal()
    _list_variables_by_kind()


def _compare_options_by_content() -> None:
    from numba.core.targetconfig import TargetConfig

    compare = TargetConfig.__eq__

    def have_equal_options(one: TargetConfig, other: object) -> Any:
        """`TargetConfig.__eq__`, which takes an option that is set to its default for one that is not set."""
        is_alike = type(one) is type(other) and one._values == other._values
        return is_alike or compare(one, other)

    def hash_of_options(one: TargetConfig) -> int:
        """As `TargetConfig.__hash__` it says nothing of the values, which may still change."""
        return hash(type(one))

    TargetConfig.__eq__ = have_equal_options  # type: ignore[method-assign]
    TargetConfig.__hash__ = hash_of_options  # type: ignore[method-assign]


def _resolve_operators_once() -> None:
    from numba.core.targetconfig import ConfigStack
    from numba.core.types.functions import BaseFunction

    resolve = BaseFunction.get_call_type
    known: dict[int, tuple[BaseFunction, dict[Any, Any]]] = {}  # by the function's identity, which is kept with it

    def resolve_once(function: BaseFunction, context: Any, args: Any, kws: Any) -> Any:
        """`BaseFunction.get_call_type`; what it raises is not kept, nor what becomes of types not known as yet."""
        if kws or not all(one.is_precise() for one in args):
            return resolve(function, context, args, kws)
        _, signatures = known.setdefault(id(function), (function, {}))
        key = context, tuple(args), ConfigStack.top_or_none()
        signature = signatures.get(key)
        if signature is None:
            signature = signatures[key] = resolve(function, context, args, kws)
        return signature

    BaseFunction.get_call_type = resolve_once  # type: ignore[method-assign, assignment]


def _write_records_out_once() -> None:
    from numba.core.types import Record

    write = Record.__repr__
    known: dict[int, tuple[Record, str]] = {}  # by the record's identity, which is kept with it

    def write_once(record: Record) -> str:
        if id(record) not in known:
            known[id(record)] = record, write(record)
        return known[id(record)][1]

    Record.__repr__ = write_once  # type: ignore[method-assign, assignment]


def _colour_without_a_terminal() -> None:
    from numba.core import errors as known_errors

    errors: Any = known_errors
    scheme = getattr(errors, "HighlightColorScheme", None)
    if scheme is None:  # colorama is not installed
        return

    def mark(self: Any, text: str, color: str | None = None, style: str | None = errors.Style.BRIGHT) -> str:
        """`HighlightColorScheme._markup`, which has Windows' terminals ready for text that it only returns."""
        return f"{color or ''}{style or ''}{text}{errors.Style.RESET_ALL}"

    scheme._markup = mark


def _list_variables_by_kind() -> None:
    from numba.core import ir

    others = frozenset((str, int, float, bool, type(None), ir.Loc, ir.Scope, ir.Const, ir.Global, ir.FreeVar, ir.Arg))

    def collect(values: Iterable[Any], found: list[Any]) -> None:
        """`Inst._rec_list_vars`, for several: what is most frequent is asked first."""
        for value in values:
            kind = type(value)
            if kind is ir.Var:
                found.append(value)
            elif kind in others:
                continue
            elif isinstance(value, ir.Var):
                found.append(value)
            elif isinstance(value, ir.Inst):
                found += value.list_vars()
            elif isinstance(value, (list, tuple)):
                collect(value, found)
            elif isinstance(value, dict):
                collect(value.values(), found)

    def of_statement(statement: Any) -> list[Any]:
        found: list[Any] = []
        collect(statement.__dict__.values(), found)
        return found

    def of_expression(expression: Any) -> list[Any]:
        found: list[Any] = []
        collect(expression._kws.values(), found)
        return found

    ir.Stmt.list_vars = of_statement  # type: ignore[method-assign]
    ir.Expr.list_vars = of_expression  # type: ignore[method-assign]
