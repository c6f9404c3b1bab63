"""Read from the sources who imports whom, without running them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One module named by an import statement."""

    importer: str
    imported: str
    line: int
    eager: bool
    """Runs when the importer is imported: not inside a function, not under TYPE_CHECKING."""


def module_files(package: Path) -> dict[str, Path]:
    """Map the dotted name of every module of a package to its file."""
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def read_imports(package: Path) -> list[Import]:
    """List all imports of all modules of a package.

    `from a import b` names `a.b` where that is a module of the package, otherwise `a`.
    """
    files = module_files(package)
    found = []
    for module, path in files.items():
        is_package = path.name == "__init__.py"
        for node, eager in _import_nodes(ast.parse(path.read_text(), str(path)), eager=True):
            for name in _names(node, module, is_package, files):
                found.append(Import(module, name, node.lineno, eager))
    return found


def _import_nodes(tree: ast.AST, eager: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, eager
        else:
            yield from _import_nodes(node, eager and not _is_put_off(node))


def _is_put_off(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _names(node: ast.Import | ast.ImportFrom, module: str, is_package: bool, files: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = module.split(".")
        parents = parents[: len(parents) - node.level + is_package]
        base = ".".join([*parents, base] if base else parents)
    for alias in node.names:
        name = f"{base}.{alias.name}"
        yield name if name in files else base


def eager_closure(imports: list[Import], start: str) -> dict[str, tuple[str, ...]]:
    """Find everything that importing a module imports at once, the packages around each module included.

    Returns:
        For each module reached, the chain of modules that leads to it from `start`.
    """
    direct: dict[str, list[str]] = {}
    for one in imports:
        if one.eager:
            direct.setdefault(one.importer, []).append(one.imported)
    chains: dict[str, tuple[str, ...]] = {}
    waiting = [(start, (start,))]
    while waiting:
        module, chain = waiting.pop()
        if module in chains:
            continue
        chains[module] = chain
        parts = module.split(".")
        around = [".".join(parts[:n]) for n in range(1, len(parts)) if parts[0] == start.partition(".")[0]]
        waiting += [(name, (*chain, name)) for name in [*around, *direct.get(module, [])]]
    return chains
