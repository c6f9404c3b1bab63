"""What Numba works out again and again while it compiles, worked out once: a first start waits less.

Numba 0.68 goes through all that an operator may mean at each place where it stands, and writes down why each of them is
not meant; a place is looked at several times. Beside that it compares the options of what it compiles, some twenty
properties, at each of these steps. What an operator means for given types does not change, so here it is kept, and two
sets of options whose contents are the same dictionary are the same. What is compiled is the same to the last bit.
"""

from __future__ import annotations

from typing import Any

from cageflow.numerics.together import KNOWN_VERSIONS

_is_done = False


def type_once() -> None:
    """Have Numba keep what it has found out of types from now on."""
    global _is_done
    if _is_done:
        return
    _is_done = True
    import numba

    if not numba.__version__.startswith(KNOWN_VERSIONS):
        return
    from numba.core.targetconfig import ConfigStack, TargetConfig
    from numba.core.types.functions import BaseFunction

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
