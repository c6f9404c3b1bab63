"""The notebooks show what they do, use the public face alone, and run: one here, all by `make notebooks`."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

import cageflow
from tests.helpers.notebooks import FOLDER, execute, fingerprint, read_notebook

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


def faults_of(notebook: nbformat.NotebookNode) -> list[str]:
    """What a reader of a notebook must not meet."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    said = " ".join(str(output) for output in outputs)
    counts = [cell.execution_count for cell in cells]
    found = {
        "its programs have changed since it showed this": notebook.metadata.get("cageflow", {}).get("shown_by")
        != fingerprint(notebook),
        "it was not executed from its top": counts != list(range(1, len(cells) + 1)),
        "it shows nothing": not outputs,
        "it shows an error": any(output.output_type == "error" for output in outputs),
        "it shows what was said of the progress": any(output.get("name") == "stderr" for output in outputs),
        "it shows a folder of one machine": re.search(r"/(?:home|root|tmp|work|usr)/", said) is not None,
    }
    return [words for words, is_so in found.items() if is_so]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_shows_what_it_does_and_uses_the_public_face(path: Path) -> None:
    assert faults_of(read_notebook(path)) == [], "run `make notebooks`"
    assert [name for program in programs_of(path) for name in foreign_names(program)] == []
    assert f"](notebooks/{path.name})" in FOLDER.with_suffix(".md").read_text()


def test_notebook_whose_outputs_are_not_its_own_is_found() -> None:
    notebook = read_notebook(NOTEBOOKS[0])
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source += "\nprint('more')"
    first.execution_count = 7
    first.outputs = [nbformat.v4.new_output("stream", name="stderr", text="compiling in /home/me/x")]
    assert len(faults_of(notebook)) == 4


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
