"""The command line: arguments in, one call, words out. Heavy imports stand inside the commands."""

# A module adds its commands when it is imported, and so they stand in the help: the main job first.
# isort: off
from cageflow.cli import (
    runs,
    universal,
    champion,
    baseline,
    evaluate,
    exploit,
    duel,
    compare,
    report,
    regret,
    export,
    network,
    simulator,
    watching,
    bench,
)

# isort: on
from cageflow.cli.app import app
from cageflow.cli.entry import main

COMMANDS = (
    runs,
    universal,
    champion,
    baseline,
    evaluate,
    exploit,
    duel,
    compare,
    report,
    regret,
    export,
    network,
    simulator,
    watching,
    bench,
)
"""The modules that add the commands to `app` when they are imported."""

__all__ = ["COMMANDS", "app", "main"]
