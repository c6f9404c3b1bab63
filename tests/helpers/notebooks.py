"""The notebooks of the documents, executed and kept: `python -m tests.helpers.notebooks [NAME...]`."""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
CELL_S = 600


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook in the form of today."""
    return nbformat.read(path, as_version=4)


def execute(path: Path, folder: Path, smaller: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """Execute a notebook in a folder, and give it with its outputs.

    Args:
        path: of the notebook.
        folder: that it works in.
        smaller: words of its cells, and what stands in their place.

    Raises:
        CellExecutionError: a cell has failed.
    """
    notebook = read_notebook(path)
    for cell in notebook.cells:
        for words, fewer in (smaller or {}).items():
            cell.source = cell.source.replace(words, fewer)
    where = {"metadata": {"path": folder}}
    client = NotebookClient(
        notebook, timeout=CELL_S, kernel_name="python3", resources=where, record_timing=False, coalesce_streams=True
    )
    done: nbformat.NotebookNode = client.execute()
    return done


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """Of the programs in a notebook: its outputs are those of these."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def keep(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook that was executed, without what its programs said of their progress, and of which they are."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "text" in output:  # a terminal's ends of lines, of what a command has said
                    output.text = output.text.replace("\r\n", "\n")
    notebook.metadata["cageflow"] = {"shown_by": fingerprint(notebook)}
    nbformat.write(notebook, path)


def main(names: list[str]) -> None:
    """Execute those that are named, or all, keep what they show, and say how long each took."""
    root = Path(__file__).parents[2]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root / "src"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for path in sorted(FOLDER.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            keep(execute(path, Path(folder)), path)
        print(f"{path.name}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
