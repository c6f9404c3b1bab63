"""Kernels that came with the package are used where they are as they were, made for here, and from these sources."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cageflow.cli import app
from cageflow.envs import seeds
from cageflow.envs.seeds import EpisodeStream
from cageflow.numerics import shipped_kernels
from cageflow.numerics.shipped_kernels import KERNELS, LIST, PACKAGE, Shipped, digest, made_with, name_of
from hatch_build import wheel_platform
from tools import compile_kernels
from tools.compile_kernels import commands, kernels_of, modules, write

USE = """
import cageflow.sim.batch
from cageflow.envs.seeds import EpisodeStream, scramble
print(*EpisodeStream(1, "test").seeds(0, 3), "found" if scramble.stats.cache_hits else "compiled")
"""
FUNCTION = seeds.scramble.py_func
ONE = 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the kernels of one module, compiled for this processor."""
    EpisodeStream(1, "test").seeds(0, 3)  # compiles it, if need be
    folder = tmp_path_factory.mktemp("made")
    shipped = write(folder, kernels_of("cageflow.envs.seeds"))
    assert len(shipped.places) == ONE
    return folder


@pytest.fixture
def placed(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, in the place of what came with the package."""
    folder = Path(shutil.copytree(made, tmp_path / "placed"))
    monkeypatch.setattr(shipped_kernels, "KERNELS", folder / KERNELS.name)
    monkeypatch.setattr(shipped_kernels, "LIST", folder / LIST.name)
    monkeypatch.setattr(shipped_kernels, "FEATURES", ())  # which the machine of the tests may not have
    shipped_kernels.shipped_kernels.cache_clear()
    yield folder
    shipped_kernels.shipped_kernels.cache_clear()


def found() -> bytes | None:
    """What is loaded for the one kernel, from the files as they stand."""
    shipped_kernels.shipped_kernels.cache_clear()
    (signature,) = (args for args in seeds.scramble.overloads)
    return shipped_kernels._content(FUNCTION, signature)


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the list says."""
    content = json.loads((folder / LIST.name).read_text())
    change(content)
    (folder / LIST.name).write_text(json.dumps(content))


def test_kernel__is_found_by_function_and_types_as_it_was_compiled(placed: Path) -> None:
    assert found() == (placed / KERNELS.name).read_bytes()
    shipped = shipped_kernels.shipped_kernels()
    assert shipped is not None and shipped == Shipped.from_json(shipped.to_json())
    assert shipped_kernels._content(FUNCTION, ()) is None, "for other types there is none"
    assert str(PACKAGE.parent).encode() not in (placed / KERNELS.name).read_bytes(), "nothing of this machine"


def test_name__is_none_where_more_than_types_decides() -> None:
    def closed(x: int) -> int:
        return x + ONE + len(here)

    here = "something"
    assert name_of(closed, ()) is None
    assert name_of(FUNCTION, seeds.scramble.signatures) is None, "a list is no signature"
    assert name_of(FUNCTION, ()) != name_of(found, ())


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no list": lambda folder: (folder / LIST.name).unlink(),
    "no kernels": lambda folder: (folder / KERNELS.name).unlink(),
    "kernels cut off": lambda folder: os.truncate(folder / KERNELS.name, 1000),
    "list cut off": lambda folder: os.truncate(folder / LIST.name, 1000),
    "no text": lambda folder: (folder / LIST.name).write_bytes(b"\xff\xfe"),
    "another list": lambda folder: (folder / LIST.name).write_text("[1, 2]"),
    "an empty list": lambda folder: (folder / LIST.name).write_text("{}"),
    "a deep list": lambda folder: (folder / LIST.name).write_text("[" * 100_000),
    "a folder": lambda folder: ((folder / LIST.name).unlink(), (folder / LIST.name).mkdir()),
    "foreign places": lambda folder: edit(folder, lambda of: of.update(places={"a": 1})),
    "no numbers": lambda folder: edit(folder, lambda of: [one.update(start="x") for one in of["places"].values()]),
    "another place": lambda folder: edit(folder, lambda of: [one.update(start=9) for one in of["places"].values()]),
    "far away": lambda folder: edit(folder, lambda of: [one.update(start=2**70) for one in of["places"].values()]),
    "another Python": lambda folder: edit(folder, lambda of: of["made_with"].update(python="cpython-310")),
    "another Numba": lambda folder: edit(folder, lambda of: of["made_with"].update(numba="0.68.0")),
    "another NumPy": lambda folder: edit(folder, lambda of: of["made_with"].update(numpy="1.26")),
    "other sources": lambda folder: edit(folder, lambda of: of.update(sha256=digest(of["sources"][1:]))),
    "a source that is not there": lambda folder: edit(folder, lambda of: of["sources"].append("gone.py")),
    "no name of a source": lambda folder: edit(folder, lambda of: of["sources"].append("\0")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_or_foreign_kernels__are_not_loaded(placed: Path, damage: str) -> None:
    DAMAGE[damage](placed)
    assert found() is None


def test_flipped_bit__is_seen_before_anything_is_loaded(placed: Path) -> None:
    content = bytearray((placed / KERNELS.name).read_bytes())
    content[len(content) // 2] ^= 1
    (placed / KERNELS.name).write_bytes(content)
    assert found() is None


@pytest.mark.parametrize(
    ("option", "value"), [("OPT", 1), ("BOUNDSCHECK", 1), ("CPU_NAME", "haswell"), ("CPU_FEATURES", "+avx2")]
)
def test_who_asks_numba_for_other_code__gets_none(
    placed: Path, option: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"numba.config.{option}", value)
    assert found() is None


def test_processor_that_cannot_do_what_is_needed__gets_none(placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_kernels, "FEATURES", ("avx2", "avx9"))
    assert found() is None


def test_sources__are_all_that_can_change_a_kernel(placed: Path) -> None:
    shipped = shipped_kernels.shipped_kernels()
    assert shipped is not None and shipped.made_with == made_with()
    assert {f"{name.partition('.')[2].replace('.', '/')}.py" for name in modules()} <= set(shipped.sources)


def test_installed_package__compiles_nothing_that_it_came_with_even_read_only_and_all_after_an_edit(
    made: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site" / "cageflow"
    shutil.copytree(PACKAGE, site, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copytree(made, site / "data")
    features = site / "numerics" / "shipped_kernels.py"
    features.write_text(features.read_text() + "\nFEATURES = ()\n")  # as above; what is edited here counts as shipped
    edit(site / "data", lambda of: of.update(sha256=_digest_in(site, of["sources"])))
    expected = " ".join(str(one) for one in EpisodeStream(1, "test").seeds(0, 3))

    def use(program: str = USE, **variables: str) -> str:
        environ = os.environ | {"PYTHONPATH": str(site.parent)} | variables
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
        return done.stdout.removeprefix(expected).strip()

    assert use(NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "found"
    assert not [*(tmp_path / "cache").rglob("*.nbi")]
    for folder in [path.parent for path in site.rglob("*.py")]:
        (folder / "__pycache__").touch()
    nowhere = str(tmp_path / "site" / "cageflow" / "__init__.py")
    no_folder = f"import tempfile; tempfile.tempdir = {nowhere!r}"
    read_only = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), nowhere)
    assert use(f"{no_folder}{USE}", **read_only) == "found"
    with (site / "sim" / "red_actions.py").open("a") as file:
        file.write("# edited\n")
    assert use(f"{no_folder}{USE}", **read_only) == "compiled"


def _digest_in(package: Path, sources: list[str]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped_kernels, "PACKAGE", package)
        return digest(sources)


@pytest.mark.parametrize(
    ("triple", "wheel"),
    [
        ("x86_64-unknown-linux-gnu", "manylinux_2_17_x86_64"),
        ("x86_64-conda-linux-gnu", "manylinux_2_17_x86_64"),
        ("x86_64-apple-darwin", "macosx_11_0_x86_64"),
        ("x86_64-apple-darwin23.6.0", "macosx_11_0_x86_64"),
    ],
)
def test_compiled_wheel__is_called_by_its_platform(triple: str, wheel: str) -> None:
    assert wheel_platform(triple) == wheel


@pytest.mark.parametrize(
    "triple", ["aarch64-unknown-linux-gnu", "arm64-apple-darwin23.6.0", "x86_64-unknown-linux-musl", "x86_64", "AMD64"]
)
def test_compiled_wheel__is_refused_in_a_sentence_where_none_can_be_and_before_anything_is_compiled(
    triple: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = f"this is {triple}, and a compiled wheel is for x86-64 .* build the plain one by `make wheel`"
    with pytest.raises(ValueError, match=words):
        wheel_platform(triple)
    monkeypatch.setattr(compile_kernels, "made_with", lambda: {"platform": triple})
    monkeypatch.setattr(compile_kernels, "run_all", lambda *_: pytest.fail("something was compiled"))
    with pytest.raises(SystemExit, match=f"Error: {words}"):
        compile_kernels.main([str(tmp_path)])


def test_commands_that_compile_ahead__exist_with_their_options() -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command in commands():
        name, *words = shlex.split(command)
        options = {option for one in known[name].params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, command
