"""One name for one thing: names of options that were others once and still work for a version, and second names."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from cageflow import terminal
from cageflow.errors import UserError

OLD_NAMES = {
    "--episodes": "--evaluation-episodes",
    "--episodes-per-workflow": "--max-episodes-per-workflow",
    "--n-seeds": "--repetitions",
    "--red-agents": "--red-agent",
    "--repeats": "--repetitions",
    "--seeds": "--seed",
    "--steps": "--max-steps",
    "--strategies": "--strategy",
    "--threads": "--num-threads",
    "--workers": "--n-workers",
}
"""What an option was called before, and what it is called now, in every command that has the new name alone."""

SECOND_NAMES = {"--network": "--scenario"}
"""Names that stay, beside those of the help."""


class StoppedError(Exception):
    """A run was asked to end, and has said how to go on.

    Attributes:
        exit_status: what a shell expects.
    """

    def __init__(self, stop: KeyboardInterrupt) -> None:
        super().__init__(str(stop))
        self.exit_status: int = stop.exit_status  # type: ignore[attr-defined]


class Command(TyperCommand):
    """A command that reads old and second names of its options, and says on standard error what old ones are now."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line, with the names of today."""
        today = with_new_names(args, self._known())
        typed = list(today)
        rest = super().parse_args(ctx, today)
        self._refuse_empty_names(ctx.params, typed)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refusal that begins with a setting calls it by its option."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise UserError(by_option(str(error), self._known())) from error
        except KeyboardInterrupt as stop:
            if getattr(stop, "exit_status", None) is None:
                raise
            raise StoppedError(stop) from stop  # what stands around commands would take it for a bare Ctrl-C

    def _known(self) -> set[str]:
        return {name for param in self.params for name in (*param.opts, *param.secondary_opts)}

    def _refuse_empty_names(self, values: Mapping[str, Any], typed: Sequence[str]) -> None:
        """Refuse what a shell makes of a variable that is not set: a path would take it for the working folder."""
        emptied = {before for before, argument in pairwise(typed) if not argument}
        emptied |= {argument[:-1] for argument in typed if argument.endswith("=")}
        for param in self.params:
            value = values.get(param.name)
            if param.param_type_name == "option":
                if isinstance(value, Path) and not emptied.isdisjoint(param.opts):
                    raise UserError(f"{param.opts[0]} is empty: name a file or a folder")
            elif "" in typed and {"", Path()} & set(value if isinstance(value, list | tuple) else [value]):
                raise UserError(f"{param.metavar or param.name} is empty: give it a name")


def with_new_names(arguments: Sequence[str], known: Iterable[str]) -> list[str]:
    """The arguments of a command with its options under the names of today.

    Args:
        arguments: as they were typed.
        known: names of the command's options.
    """
    known = set(known)
    renamed: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "--":  # what follows are no options
            return [*renamed, *arguments[i:]]
        name, equals, value = argument.partition("=")
        new = OLD_NAMES.get(name) or SECOND_NAMES.get(name)
        if new is None or name in known or new not in known:
            renamed.append(argument)
            continue
        if name in OLD_NAMES:
            say_renamed(name, new)
        renamed.append(f"{new}{equals}{value}")
    return renamed


def by_option(sentence: str, known: Container[str]) -> str:
    """A refusal that begins with the name of a setting, as in Python and in files, with the name of its option.

    Args:
        sentence: such as `max_steps is 0: ...`; one that begins with the name of a file stays as it is.
        known: names of the command's options.
    """
    found = re.match(r"([a-z_]+) (?:is|are) ", sentence)
    if found is None:
        return sentence
    option = "--" + found[1].replace("_", "-")
    if option not in known:
        option = OLD_NAMES.get(option, option)
    return f"{option} is {sentence[found.end() :]}" if option in known else sentence


def say_renamed(old: str, new: str) -> None:
    """Say on standard error what an old name is now."""
    terminal.say(f"cageflow: {old} is called {new} now; the next version will not know the old name", err=True)


class App(typer.Typer):
    """A group of such commands, each with the help under `-h` too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(context_settings={"help_option_names": ["-h", "--help"]}, **settings)

    def command(self, *arguments: Any, **settings: Any) -> Any:
        """Add a command; as of Typer."""
        return super().command(*arguments, cls=Command, **settings)
