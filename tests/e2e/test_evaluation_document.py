"""The agent that docs/evaluation.md shows plays, and as well as it should."""

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.command_line import cageflow

DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_agent_of_the_document__plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "agents.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (command,) = re.findall(r"^ {4}cageflow (evaluate agents\.py:.*)$", DOCUMENT.read_text(), re.MULTILINE)
    outcome = cageflow(*command.split(), "--evaluation-episodes", 30, "--max-steps", 100, "--json")
    assert outcome.status == 0, outcome.err
    bline, meander, sleep = (cell["mean"] for cell in outcome.json["cells"])
    assert bline == pytest.approx(-51.23, abs=8)
    assert meander == pytest.approx(-47.53, abs=4)
    assert sleep == 0.0
