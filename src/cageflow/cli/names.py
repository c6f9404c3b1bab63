"""One name for one thing: names of options that were others once and still work for a version, and second names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from cageflow import terminal

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


class Command(TyperCommand):
    """A command that reads old and second names of its options, and says on standard error what old ones are now."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line, with the names of today."""
        known = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        return super().parse_args(ctx, with_new_names(args, known))


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
