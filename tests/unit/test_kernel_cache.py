"""Where kernels are kept if nothing can be written, and that those of several networks can be kept together."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cageflow
from cageflow.kernel_cache import VARIABLE

PACKAGE = Path(cageflow.__file__).parent
USE = "from cageflow.envs.seeds import EpisodeStream; print(len(EpisodeStream(1, 'test').seeds(0, 3)))"


@pytest.fixture
def unwritable(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that uses a copy of the package: files stand where folders would be written.

    So it fails for root too, for whom permission bits are nothing.
    """
    shutil.copytree(PACKAGE, tmp_path / "site" / "cageflow", ignore=shutil.ignore_patterns("__pycache__", "data"))
    for folder in [path.parent for path in (tmp_path / "site").rglob("*.py")]:
        (folder / "__pycache__").touch()
    (tmp_path / "home").touch()
    (tmp_path / "tmp").mkdir()
    environ = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "XDG_CACHE_HOME")}
    return environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
    }


def run(code: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)


def test_kernels__are_kept_among_the_temporary_files_of_the_user(unwritable: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "tmp" / f"cageflow-kernels-{os.getuid()}"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {USE!r}])"
    done = run(f"{USE}; {child}", unwritable)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3", "3"]
    assert done.stderr.splitlines() == [
        "cageflow: the folder of the package and your home folder cannot be written, so compiled code is kept in "
        f"{folder}. Set {VARIABLE} to keep it elsewhere."
    ], "once, and not by the child again"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.rglob("*.nbi"))


def test_named_folder__is_used_in_silence_or_named_where_it_cannot_be(
    unwritable: dict[str, str], tmp_path: Path
) -> None:
    done = run(USE, unwritable | {VARIABLE: str(tmp_path / "mine")})
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "mine").rglob("*.nbi"))
    done = run(USE, unwritable | {VARIABLE: str(tmp_path / "home" / "mine")})
    assert done.returncode == 0
    assert f"cageflow: {tmp_path / 'home' / 'mine'} ({VARIABLE}) cannot be written" in done.stderr


def test_folder_of_somebody_else__is_not_used(unwritable: dict[str, str], tmp_path: Path) -> None:
    planted = tmp_path / "tmp" / f"cageflow-kernels-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    done = run(USE, unwritable)
    assert done.returncode == 0
    assert str(planted) + "." not in done.stderr
    assert not list(planted.iterdir())


def test_without_temporary_files__nothing_is_kept(unwritable: dict[str, str], tmp_path: Path) -> None:
    done = run(f"import tempfile; tempfile.tempdir = {str(tmp_path / 'home' / 'no')!r}; {USE}", unwritable)
    assert done.returncode == 0, done.stderr
    assert "compiled code is not kept" in done.stderr and VARIABLE in done.stderr
    assert not list((tmp_path / "tmp").iterdir())


def test_without_the_mend__numba_gives_up(unwritable: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "site" / "cageflow" / "kernel_cache.py").write_text("def ensure_kernel_cache():\n    pass\n")
    done = run(USE, unwritable)
    assert "no locator available" in done.stderr


SHOW = """
import sys
import numpy as np
from cageflow.scenario import load_network
from cageflow.sim.batch import unpack_batch
from cageflow.sim.handover import plain
from cageflow.sim.state import new_states
for name in sys.argv[1:]:
    states = new_states(load_network(name), 1)
    states["table"] = 0b1001
    seen = np.zeros((1, 8))
    unpack_batch(plain(states), seen)
    print(*seen[0].astype(int))
"""


def test_kernels_of_two_networks__kept_by_two_processes_work_in_one(tmp_path: Path) -> None:
    environ = os.environ | {VARIABLE: str(tmp_path)}
    names = ("clinic", "plant")
    for started in ([names[0]], [names[1]], [*names]):
        done = subprocess.run([sys.executable, "-c", SHOW, *started], env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["1 0 0 1 0 0 0 0"] * len(started)
