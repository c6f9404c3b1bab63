"""The package as it is installed: the wheel alone, with what it requires, far from the source tree."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from cageflow.agents.champions import CHAMPIONS
from cageflow.cli import app
from cageflow.numerics.shipped_kernels import KERNELS, LIST
from cageflow.scenario import NETWORK_NAMES
from tests.helpers.installed import ROOT, Installed, build_wheel
from tools.compile_kernels import write

SOURCE = ROOT / "src"
LANDSCAPES = sorted(path.stem for path in (SOURCE / "cageflow" / "data" / "landscapes").glob("*.csv"))
RECORDING = ROOT / "tests" / "data" / "v2.1_SleepAgent_quiet_100.npz"
BRIEF = "--evaluation-episodes 2 --max-steps 2 --red-agent bline --perturbed 0"
SMALL = "--total-episodes 4 --episodes-per-update 2 --evaluation-episodes 2 --max-steps 4 --seed 1 --quiet"

WORK = [
    "--version",
    *(f"network check {name}" for name in NETWORK_NAMES),
    *(f"play --network {name} --max-steps 2 --red-agent meander" for name in NETWORK_NAMES),
    *(f"evaluate {' '.join(CHAMPIONS)} --rules {rules} {BRIEF}" for rules in ("v2.1", "challenge")),
    f"train --no-workflow {SMALL} --run-dir plain",
    "compare plain --evaluation-episodes 10 --window 2",
    "watch champion --max-steps 3 --out watch.html",
    "network show cage2 --svg cage2.svg",
    "network generate --hosts 12 --types 4 --seed 1 --format cyborg --out theirs.yaml",
    "network import theirs.yaml --out ours.yaml",
    "parity recording.npz",
]
"""Commands that work, in the order of a user who has nothing yet."""

REFUSED = {
    "export plain": "cageflow[onnx]",
    "baseline a2c": "cageflow[sb3]",
    "record --cyborg-path .": "CybORG",
    f"regret {' '.join(LANDSCAPES)} --out one": f"--out is one folder, but {len(LANDSCAPES)} landscapes are given",
}
"""Commands that are refused, and what their one sentence says: for want of an extra; the last, when it has read all."""

TOO_SLOW = {
    "search",
    "landscape",
    "report",
    "universal",
    "champion",
    "duel",
    "exploit",
    "bench sim",
    "bench cuda",
    "bench collectors",
    "bench train",
    "bench peers",
}
"""Commands that only ask for help here: as plain Python they take minutes."""

OF_EXTRAS = {
    *("stable_baselines3", "sb3_contrib", "torchrl", "tensordict"),
    *("onnx", "onnxruntime", "dask", "distributed", "ray", "wandb", "pettingzoo"),
}
"""Modules that only extras bring."""


class Seen(NamedTuple):
    """What the installed package did.

    Attributes:
        installed: its environment.
        folder: in which it worked.
        found: what `Installed.call` found.
    """

    installed: Installed
    folder: Path
    found: dict[str, Any]


def helps() -> list[str]:
    """Every command's call for help."""

    def under(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        yield " ".join((*path, "--help"))
        for name, one in getattr(command, "commands", {}).items():
            yield from under(one, (*path, name))

    return list(under(typer.main.get_command(app), ()))


def modules() -> list[str]:
    """All modules of the package."""
    paths = (path.relative_to(SOURCE).with_suffix("") for path in SOURCE.rglob("*.py"))
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return sorted(names - {"cageflow.__main__"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def seen(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    installed = Installed(tmp_path_factory.mktemp("environment"), wheel)
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(RECORDING, folder / "recording.npz")
    calls = [line.split() for line in [*WORK, *helps(), *REFUSED]]
    return Seen(installed, folder, installed.call(calls, modules(), folder))


def test_wheel__has_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    ours = {
        str(path.relative_to(SOURCE)): path.read_bytes()
        for path in SOURCE.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == set(ours)
        assert [name for name in sorted(names) if archive.read(name) != ours[name]] == []


def test_compiled_wheel__is_the_plain_one_with_kernels_and_for_one_platform(wheel: Path, tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    write(kernels, [("a kernel", b"its code")])
    listed = json.loads((kernels / LIST.name).read_text())
    listed["made_with"]["platform"] = "x86_64-unknown-linux-gnu"  # wherever this is
    (kernels / LIST.name).write_text(json.dumps(listed))
    compiled = build_wheel(tmp_path / "wheels", CAGEFLOW_KERNELS=str(kernels), HATCH_BUILD_HOOK_ENABLE_CUSTOM="true")
    python, abi, platform = compiled.stem.split("-")[2:]
    assert python == abi == f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert platform == "manylinux_2_17_x86_64"
    with zipfile.ZipFile(wheel) as plain, zipfile.ZipFile(compiled) as archive:
        more = {name for name in {*archive.namelist()} - {*plain.namelist()} if ".dist-info/" not in name}
        assert more == {f"cageflow/data/{path.name}" for path in (KERNELS, LIST)}
        assert json.loads(archive.read(f"cageflow/data/{LIST.name}")) == listed
        (tags,) = (name for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
        assert "Root-Is-Purelib: false" in archive.read(tags).decode()


def test_package__is_that_of_the_wheel(seen: Seen, wheel: Path) -> None:
    assert Path(seen.found["file"]).is_relative_to(seen.installed.site)
    assert wheel.name.startswith(f"cageflow-{seen.found['version']}-")
    program = seen.installed.run("cageflow", "--version", folder=seen.folder)
    assert (program.returncode, program.stdout) == (0, f"cageflow {seen.found['version']}\n")


def test_every_command_network_champion_and_landscape__works_without_the_source_tree(seen: Seen) -> None:
    done = dict(zip([*WORK, *helps()], seen.found["outcomes"], strict=False))
    wrong = {line: err for line, (status, _, err) in done.items() if status != 0}
    assert wrong == {}
    assert "<h1>Heading</h1>" in seen.found["page"]
    assert (seen.folder / "watch.html").stat().st_size > 50_000
    commands = {line.removesuffix(" --help") for line in helps()}
    called = {" ".join(line.split()[:length]) for line in [*WORK, *REFUSED] for length in (1, 2)}
    assert commands - called - {"--help", "bench"} == TOO_SLOW


def test_command_that_needs_an_extra__names_it_in_a_sentence(seen: Seen) -> None:
    refused = dict(zip(REFUSED, seen.found["outcomes"][-len(REFUSED) :], strict=True))
    for line, (status, _, err) in refused.items():
        assert status == 2, line
        assert REFUSED[line] in err.splitlines()[-1], (line, err)
        assert "Traceback" not in err


def test_every_module__asks_for_nothing_but_what_the_wheel_and_its_extras_require(seen: Seen) -> None:
    missing = {name: what for name, what in seen.found["missing"].items() if "pip install 'cageflow[" not in what}
    assert set(missing.values()) <= OF_EXTRAS, missing


def test_module_that_asks_for_more__is_found(seen: Seen) -> None:
    planted = seen.installed.site / "cageflow" / "planted.py"
    planted.write_text("import pytest\n")
    try:
        found = seen.installed.call([["dance"]], ["cageflow.planted"], seen.folder)
    finally:
        planted.unlink()
    assert found["missing"] == {"cageflow.planted": "pytest"}
    assert found["outcomes"][0][0] == 2
