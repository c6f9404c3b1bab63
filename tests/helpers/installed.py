"""The package as a user has it: its wheel in an environment of its own, with what the wheel requires and nothing else.

Nothing is downloaded. What the wheel requires stands in this environment already, and the new one gets links to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

CALLS = """
import contextlib, importlib, io, json, pkgutil, sys
from pathlib import Path

import cageflow
from cageflow.cli import main
from cageflow.report.content import Page
from cageflow.report.page import render

calls, modules = json.loads(sys.stdin.read())
outcomes = []
for call in calls:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(call)
        except SystemExit as end:
            status = end.code
    outcomes.append([status, out.getvalue(), err.getvalue()])
missing = {}
for name in modules:
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing[name] = error.name or str(error)
found = {"file": cageflow.__file__, "version": cageflow.__version__, "outcomes": outcomes, "missing": missing}
found["page"] = render(Page("Title", "Heading", (), "", ()), ())
print(json.dumps(found))
"""
"""Calls commands one after the other in one process, imports modules, makes an empty page; says how each ended."""


def build_wheel(folder: Path, **variables: str) -> Path:
    """Build the wheel from this source tree as pip does, with variables in its environment."""
    words = ["pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", *words, str(ROOT)], check=True, timeout=120, env=os.environ | variables)
    (wheel,) = folder.glob("cageflow-*.whl")
    return wheel


class Installed:
    """An environment with a wheel.

    Args:
        folder: it is made there.
        wheel: to install.

    Attributes:
        bin: where its programs stand.
        site: where its packages stand.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder, symlinks=True)
        self.bin = folder / "bin"
        (self.site,) = folder.glob("lib/python*/site-packages")
        for path in _required(wheel):
            link = self.site / path.name
            if not link.exists():
                link.symlink_to(path)
        words = ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python")]
        subprocess.run([*pip, *words], check=True, timeout=120)

    def run(self, *words: str, folder: Path, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs in a folder, with nothing of the source tree within its reach."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables
        return subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            cwd=folder,
            env=env,
            input=text,
            capture_output=True,
            text=True,
            timeout=230,
        )

    def call(self, calls: list[list[str]], modules: list[str], folder: Path) -> dict[str, Any]:
        """Call commands and import modules, the rules as plain Python since they would be compiled anew."""
        text = json.dumps([calls, modules])
        ended = self.run("python", "-c", CALLS, folder=folder, text=text, NUMBA_DISABLE_JIT="1")
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        return found


def _required(wheel: Path) -> set[Path]:
    """Files and folders of all that a wheel requires, directly or not, without extras of its own."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    folder = zipfile.Path(wheel, metadata.removesuffix("METADATA"))
    waiting = [(text, "") for text in PathDistribution(folder).requires or []]  # type: ignore[arg-type]
    seen: set[tuple[str, str]] = set()
    paths: set[Path] = set()
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        installed = distribution(requirement.name)
        for wanted in ("", *requirement.extras):
            if (requirement.name.lower(), wanted) not in seen:
                seen.add((requirement.name.lower(), wanted))
                waiting += [(one, wanted) for one in installed.requires or []]
        tops = {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}
        paths |= {Path(str(installed.locate_file(top))) for top in tops}
    return paths
