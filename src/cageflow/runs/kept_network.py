"""The network of a run whose settings are one file: its text stands there, so that it goes on with the same network."""

from __future__ import annotations

from pathlib import Path

from cageflow.files import write_whole
from cageflow.runs.layout import NETWORK
from cageflow.scenario.named import network_file

NETWORK_TEXT = "network_file"
"""The entry of the settings."""


def read_network(scenario: Path | str | None) -> str | None:
    """The text of a network by its name or its file; None for CAGE-2's own."""
    return None if scenario is None else network_file(scenario).decode()


def keep_network(run_dir: Path, text: str | None) -> str | None:
    """Write the network of a run in its folder.

    Returns:
        The file, to be played on; None for CAGE-2's own.
    """
    if text is None:
        return None
    path = run_dir / NETWORK
    write_whole(path, text.encode())
    return str(path)
