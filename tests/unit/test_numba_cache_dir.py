"""The cache folder changes with every edit that can change compiled code, and only then."""

from pathlib import Path

import pytest

from tools.numba_cache_dir import numba_cache_dir

SOURCES = {
    "cli.py": "import typer",
    "sim/step.py": "from numba import njit",
    "sim/red.py": "PORT = 21",
    "collect/vector.py": "import numba",
    "collect/layout.py": "WIDTH = 77",
    "learn/ppo.py": "import torch",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        path = tmp_path / "src" / "cageflow" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["sim/step.py", "sim/red.py", "sim/green.py", "collect/vector.py", "collect/layout.py"]
)
def test_edit_of_compiled_source__gives_another_folder(project: Path, name: str) -> None:
    before = numba_cache_dir(project, {})
    (project / "src" / "cageflow" / name).write_text("PORT = 22")
    assert numba_cache_dir(project, {}) != before


@pytest.mark.parametrize("name", ["cli.py", "learn/ppo.py"])
def test_edit_elsewhere__keeps_the_folder(project: Path, name: str) -> None:
    before = numba_cache_dir(project, {})
    (project / "src" / "cageflow" / name).write_text("import rich")
    assert numba_cache_dir(project, {}) == before


def test_two_rules_swapped_between_files__gives_another_folder(project: Path) -> None:
    before = numba_cache_dir(project, {})
    step, red = (project / "src" / "cageflow" / "sim" / name for name in ("step.py", "red.py"))
    step_text, red_text = step.read_text(), red.read_text()
    step.write_text(red_text)
    red.write_text(step_text)
    assert numba_cache_dir(project, {}) != before


def test_bounds_checks_have_a_folder_of_their_own(project: Path) -> None:
    assert numba_cache_dir(project, {"NUMBA_BOUNDSCHECK": "1"}) != numba_cache_dir(project, {})
    assert numba_cache_dir(project, {"NUMBA_BOUNDSCHECK": "0"}) == numba_cache_dir(project, {})
