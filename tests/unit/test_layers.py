"""Imports point down the house, and `cageflow --help` does not wait for PyTorch."""

import subprocess
import sys
from pathlib import Path

import pytest

import cageflow
from tests.helpers.imports import Import, eager_closure, module_files, read_imports

PACKAGE = Path(cageflow.__file__).parent

# Top to bottom: a module imports from its own floor and from those after it.
LAYERS = (
    "cli",
    "api",
    "bench",
    "report",
    "studies",
    "analysis",
    "runs",
    "training",
    "settings",
    "measure",
    "export",
    "evaluation",
    "agents",
    "search",
    "collect",
    "learn",
    "parity",
    "envs",
    "workflow",
    "sim",
    "numerics",
    "scenario",
    "work",
    "files",
    "markdown",
    "csv_format",
    "listed",
    "reading",
    "terminal",
    "foreign_code",
    "startup",
    "errors",
    "kernel_cache",
)
# Below it, and still none of its business: search gets a function from an order to a trial result.
STRANGERS = {"search": {"collect", "learn", "envs", "sim"}}
# Imported inside the commands. `import cageflow` loads Gymnasium to register the environments, but not for a command.
HEAVY = {
    "torch",
    "botorch",
    "gpytorch",
    "gymnasium",
    "matplotlib",
    "numba",
    "numpy",
    "pydantic",
    "scipy",
    "sklearn",
    "stable_baselines3",
    "tensorboard",
}


def floor_of(module: str) -> str:
    """Name the floor a module of cageflow stands on: '' for the package itself and for `python -m cageflow`."""
    floor = module.partition(".")[2].partition(".")[0]
    return "" if floor == "__main__" else floor


def broken_rules(imports: list[Import]) -> list[str]:
    broken = []
    for one in imports:
        upper, lower = floor_of(one.importer), floor_of(one.imported)
        if not one.imported.startswith("cageflow.") or not upper or upper == lower:
            continue
        where = f"{one.importer}, line {one.line}: imports {one.imported}"
        if upper not in LAYERS or lower not in LAYERS:
            broken.append(f"{where}, and {upper if upper not in LAYERS else lower} has no place in the house")
        elif LAYERS.index(upper) > LAYERS.index(lower):
            broken.append(f"{where}, which stands above it")
        elif lower in STRANGERS.get(upper, ()):
            broken.append(f"{where}, which it should know nothing of")
    return broken


def heavy_chains(imports: list[Import], start: str = "cageflow.cli") -> list[str]:
    chains = eager_closure(imports, start)
    return sorted(" > ".join(chain) for name, chain in chains.items() if name.partition(".")[0] in HEAVY)


def heavy_after(statement: str) -> set[str]:
    """Run a statement in a new interpreter, as a command, and say which heavy libraries are loaded, by whomever."""
    script = f"import sys\nsys.argv = ['cageflow']\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return HEAVY & set(run.stdout.split())


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return read_imports(PACKAGE)


def test_every_module_stands_on_a_floor_of_the_house() -> None:
    assert {floor_of(module) for module in module_files(PACKAGE)} <= {"", *LAYERS}


def test_imports_point_down(imports: list[Import]) -> None:
    assert broken_rules(imports) == []


def test_the_command_line_starts_without_heavy_libraries(imports: list[Import]) -> None:
    assert heavy_chains(imports) == []
    names = [name for name in ("cageflow", "cageflow.cli") if name in module_files(PACKAGE)]
    assert heavy_after(f"import {', '.join(names)}") == set()


# The checks can fail: a synthetic package, one planted fault at a time.

SOUND = {
    "__init__.py": "from importlib.metadata import version",
    "errors.py": "",
    "cli.py": "import typer\n\ndef search():\n    import torch\n    from cageflow.search import loop",
    "search/__init__.py": "",
    "search/loop.py": "import torch\nfrom . import surrogate\nfrom ..workflow.compliance import judge",
    "search/surrogate.py": "from cageflow import errors",
    "sim/__init__.py": "",
    "workflow/__init__.py": "",
    "workflow/compliance.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
}


def write_package(folder: Path, changes: dict[str, str]) -> list[Import]:
    package = folder / "cageflow"
    for name, text in {**SOUND, **changes}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_imports(package)


def test_a_sound_package_has_no_findings(tmp_path: Path) -> None:
    imports = write_package(tmp_path, {})
    assert broken_rules(imports) == []
    assert heavy_chains(imports) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import cageflow.search.loop",
        "from cageflow.search import loop",
        "from cageflow import search",
        "from ..search.loop import run",
        "from .. import search",
        "def rule():\n    from cageflow.search.loop import run",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cageflow.search.loop import Run",
    ],
)
def test_planted_upward_import_is_reported(tmp_path: Path, statement: str) -> None:
    (finding,) = broken_rules(write_package(tmp_path, {"sim/step.py": statement}))
    assert finding.startswith(f"cageflow.sim.step, line {statement.count(chr(10)) + 1}: imports cageflow.search")
    assert finding.endswith("which stands above it")


def test_planted_stranger_is_reported(tmp_path: Path) -> None:
    (finding,) = broken_rules(write_package(tmp_path, {"search/loop.py": "from cageflow.sim import step"}))
    assert finding == "cageflow.search.loop, line 1: imports cageflow.sim, which it should know nothing of"


def test_planted_room_outside_the_house_is_reported(tmp_path: Path) -> None:
    changes = {"helpers/__init__.py": "", "sim/step.py": "import cageflow.helpers"}
    (finding,) = broken_rules(write_package(tmp_path, changes))
    assert finding.endswith("and helpers has no place in the house")


@pytest.mark.parametrize(
    ("changes", "chain"),
    [
        ({"cli.py": "import torch.nn"}, "cageflow.cli > torch.nn"),
        ({"cli.py": "class C:\n    from botorch import models"}, "cageflow.cli > botorch"),
        ({"__init__.py": "import matplotlib"}, "cageflow.cli > cageflow > matplotlib"),
        (
            {"cli.py": "from cageflow.search.surrogate import fit", "search/__init__.py": "import gpytorch"},
            "cageflow.cli > cageflow.search.surrogate > cageflow.search > gpytorch",
        ),
    ],
)
def test_planted_heavy_import_is_reported(tmp_path: Path, changes: dict[str, str], chain: str) -> None:
    assert heavy_chains(write_package(tmp_path, changes)) == [chain]


def test_planted_heavy_library_below_another_is_reported() -> None:
    assert "scipy" in heavy_after("import importlib; importlib.import_module('scipy.sparse')")
