"""How an agent in a Python file is to be named, told without running the file."""

from __future__ import annotations

import ast
from pathlib import Path

from cageflow.reading import TextError, read_text

MAX_BYTES = 4 * 1024 * 1024


def name_an_agent(path: Path) -> str:
    """The answer to a `.py` without a name: a sentence with those that are in it."""
    example = f"name the agent in it, such as {path}:"
    try:
        names = _names(read_text(path, MAX_BYTES))
    except (OSError, TextError, SyntaxError, ValueError, RecursionError, MemoryError):
        return f"{path} is code in Python: {example}ClassName; as it stands it cannot be read as Python."
    if not names:
        return f"{path} is code in Python: {example}ClassName; there is no class and no function in it."
    return f"{path} is code in Python: {example}{names[0]}; in it are {', '.join(names)}."


def _names(text: str) -> list[str]:
    """Classes and functions that stand in a file, first those with a method of an agent's."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            rank = 0 if methods & {"get_action", "predict"} else 1 if isinstance(node, ast.ClassDef) else 2
            found.append((rank, node.name))
    return [name for _, name in sorted(found, key=lambda one: one[0])]
