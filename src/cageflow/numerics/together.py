"""Compiling a function together with all that it calls, which takes two fifths off what a first start has to wait for.

Numba 0.68 compiles each function that another calls as if Python called it too: it makes wrappers for that, optimises
it with everything below it, emits machine code and keeps that on the disk; the caller then optimises all of it anew.
Rules that call rules that call rules are so compiled as often as they are deep. Here a function that is compiled for
the sake of another is left as it is, and the one that Python calls is optimised, emitted and kept with all of them.
The machine code does the same arithmetic. Where Python calls such a function itself, it is compiled for that by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cageflow.numerics.patching import KNOWN_VERSIONS, patch_once

PACKAGE = "_ZN8cageflow"
"""What the names of our functions begin with in machine code."""

_num_callers = 0  # functions of ours that are being compiled, one for the sake of the last


@patch_once(*KNOWN_VERSIONS)
def compile_together() -> None:
    """Have Numba compile functions of this package so from now on."""
    from numba.core import codegen, compiler, event, sigutils
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    class Part(codegen.JITCodeLibrary):
        """The code of a function that awaits its callers."""

        def finalize(self) -> None:
            self._raise_if_finalized()
            self._final_module.verify()
            self._finalized = True

    class Place:
        """What stands for the address of a function that has none of its own."""

    def with_parts(library: Any) -> list[Any]:
        """A part and all that is to be linked with it, each once."""
        found = {library: None}
        for other in library._linking_libraries:
            found |= dict.fromkeys(with_parts(other) if isinstance(other, Part) else [other])
        return list(found)

    def users_first(libraries: Sequence[Any]) -> list[Any]:
        """Libraries and the parts that they use, each once, after all that use it.

        What nothing linked before refers to is left out by the linker, and it is never asked again.
        """
        found: dict[Any, None] = {}
        visited = set()

        def visit(library: Any) -> None:
            if library not in visited:
                visited.add(library)
                for used in library._linking_libraries if isinstance(library, Part) else ():
                    visit(used)
                found[library] = None

        for library in reversed(libraries):
            visit(library)
        return list(reversed(found))

    finalize_alone = codegen.CPUCodeLibrary.finalize

    def finalize(library: Any) -> None:
        """`CPUCodeLibrary.finalize`, for a library that may use parts."""
        library._linking_libraries = users_first(library._linking_libraries)
        finalize_alone(library)
        missing = [one.name for one in library._final_module.functions if one.is_declaration and PACKAGE in one.name]
        if missing:
            raise RuntimeError(f"{library.name}: compiled without {missing[0]}, which it calls")

    codegen.CPUCodeLibrary.finalize = finalize  # type: ignore[method-assign]

    def compile_part(dispatcher: Any, args: tuple[Any, ...], return_type: Any) -> Any:
        """The result of compiling a function for its callers alone."""
        description = dispatcher._compiler
        context = description.targetdescr.target_context
        flags: Any = compiler.Flags()
        description.targetdescr.options.parse_as_flags(flags, description.targetoptions)
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.no_compile = True
        result = compiler.compile_extra(
            description.targetdescr.typing_context,
            context,
            dispatcher.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=description.locals,
            library=Part(context.codegen(), dispatcher.py_func.__qualname__),
            pipeline_class=description.pipeline_class,
        )
        result = result._replace(entry_point=Place())
        context.insert_user_function(result.entry_point, result.fndesc, with_parts(result.library))
        return result

    compile_alone = Dispatcher.compile

    def compile_for(dispatcher: Any, signature: Any) -> Any:
        """`Dispatcher.compile`: for the functions under way where there are any, else for Python."""
        global _num_callers
        if not dispatcher.py_func.__module__.startswith("cageflow."):
            return compile_alone(dispatcher, signature)
        args, return_type = sigutils.normalize_signature(signature)
        args = tuple(args)
        with global_compiler_lock:
            known = dispatcher.overloads.get(args)
            if _num_callers > 0:
                if known is None:
                    details = {"dispatcher": dispatcher, "args": args, "return_type": return_type}
                    with event.trigger_event("numba:compile", data=details):
                        known = dispatcher.overloads[args] = compile_part(dispatcher, args, return_type)
                return known.entry_point
            if known is not None and isinstance(known.entry_point, Place):
                del dispatcher.overloads[args]
            _num_callers += 1
            try:
                return compile_alone(dispatcher, signature)
            finally:
                _num_callers -= 1

    Dispatcher.compile = compile_for  # type: ignore[method-assign, assignment]
