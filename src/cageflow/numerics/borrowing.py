"""Arrays that a compiled function has for as long as its caller has them, so that nobody counts who uses them.

Each view of an array, such as a row, is counted as a user of its memory by an atomic operation, and once more when it
is forgotten. In a loop over small rows that is a quarter of the time.
"""

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from cageflow.numerics.plain import JIT_DISABLED

if JIT_DISABLED:

    def borrowed(value):
        """The same in plain Python."""
        return value

else:
    from llvmlite import ir

    @intrinsic
    def borrowed(context, value):
        """An array, or a tuple with arrays in it, without an owner: for arguments, never for what is returned."""

        def generate(context, builder, signature, args):
            return _without_owner(context, builder, signature.return_type, args[0])

        return value(value), generate

    def _without_owner(context, builder, kind: Any, value):
        if isinstance(kind, types.Array):
            array = context.make_array(kind)(context, builder, value)
            array.meminfo = ir.Constant(array.meminfo.type, None)
            array.parent = ir.Constant(array.parent.type, None)
            return array._getvalue()
        if isinstance(kind, types.BaseTuple):
            members: Any = kind
            parts = [
                _without_owner(context, builder, part, builder.extract_value(value, i))
                for i, part in enumerate(members.types)
            ]
            return context.make_tuple(builder, kind, parts)
        return value
