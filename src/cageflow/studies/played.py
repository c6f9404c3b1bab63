"""The means that a study has played, kept so that going on plays none of them again."""

from __future__ import annotations

import json
from pathlib import Path

from cageflow.errors import UserError
from cageflow.evaluation.statistics import Estimate
from cageflow.files import read_whole, write_whole
from cageflow.reading import parse_json

PLAYED = "played.json"


class Played:
    """The means of a study, by name.

    Args:
        path: their file.

    Raises:
        UserError: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.means: dict[str, Estimate] = {}
        self._seconds = 0.0
        if not path.exists():
            return
        try:
            content = parse_json(read_whole(path).decode())
            self.means = {str(name): Estimate(*map(float, mean)) for name, mean in content["means"].items()}
            self._seconds = float(content["seconds"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path} is damaged ({error}): remove it, and what it held is played again") from error

    def keep(self, name: str, mean: Estimate) -> None:
        """Keep one more."""
        self.means[name] = mean
        self._write()

    def add_seconds(self, seconds: float) -> float:
        """Seconds that the study has taken, these too."""
        self._seconds += seconds
        self._write()
        return self._seconds

    def _write(self) -> None:
        means = {name: list(mean) for name, mean in self.means.items()}
        write_whole(self._path, (json.dumps({"means": means, "seconds": self._seconds}, indent=2) + "\n").encode())
