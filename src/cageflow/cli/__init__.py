"""The command line: arguments in, one call, words out. Heavy imports stand inside the commands."""

from cageflow.cli import runs  # the main job stands first in the help, since a module adds its commands when imported

# isort: split
from cageflow.cli import baseline, bench, compare, evaluate, export, regret, report, simulator, universal
from cageflow.cli.app import app
from cageflow.cli.entry import main

COMMANDS = (baseline, bench, runs, evaluate, compare, export, regret, report, simulator, universal)
"""The modules that add the commands to `app` when they are imported."""

__all__ = ["COMMANDS", "app", "main"]
