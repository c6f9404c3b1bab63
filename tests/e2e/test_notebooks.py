"""The notebooks are short, use the public face alone, and run: one here, all by `make notebooks`."""

import ast
import re
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

import cageflow
from tests.helpers.notebooks import FOLDER, execute, read_notebook

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PUBLIC = {"cageflow", "cageflow.envs.sb3"}
SMALLER = {
    "total_episodes=4_000": "total_episodes=16, episodes_per_update=8, evaluation_episodes=6, max_steps=10",
    "evaluation_episodes=200": "evaluation_episodes=2, max_steps=5",
}


def programs_of(path: Path) -> list[str]:
    """The Python of a notebook's cells, without lines for the shell."""
    cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
    cells = [source for source in cells if not source.startswith("%%")]
    return [re.sub(r"^!.*$", "", source, flags=re.MULTILINE) for source in cells]


def foreign_names(program: str) -> list[str]:
    """What a program takes of cageflow that is not for users."""
    found = []
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "cageflow"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cageflow":
            found.append(str(node.module))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cageflow":
            found += [] if node.attr in cageflow.__all__ else [f"cageflow.{node.attr}"]
    return [name for name in found if name not in PUBLIC]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_holds_no_output_and_uses_the_public_face(path: Path) -> None:
    for cell in read_notebook(path).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert [name for program in programs_of(path) for name in foreign_names(program)] == []
    assert f"](notebooks/{path.name})" in FOLDER.with_suffix(".md").read_text()


def test_names_that_are_not_for_users_are_found() -> None:
    program = (
        "import cageflow.runs\nfrom cageflow.learn import policy\ncageflow.secret()\nfrom cageflow.envs import sb3"
    )
    assert foreign_names(program) == ["cageflow.runs", "cageflow.learn", "cageflow.envs", "cageflow.secret"]


def test_notebook_runs(tmp_path: Path) -> None:
    done = execute(FOLDER / "reading_a_run.ipynb", tmp_path, SMALLER)
    said = "".join(output.get("text", "") for cell in done.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "behind the first" in said
    assert any("image/png" in output.get("data", {}) for cell in done.cells for output in cell.get("outputs", []))
    with pytest.raises(CellExecutionError, match="is no run folder"):
        execute(FOLDER / "reading_a_run.ipynb", tmp_path, {'train("none"': 'read_run("nothing")  #', **SMALLER})
