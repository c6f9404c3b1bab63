"""What all tests share: Numba's cache folder, repeatable property tests, and the installed CybORG if there is one."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tools.numba_cache_dir import numba_cache_dir

ROOT = Path(__file__).resolve().parents[1]
CYBORG_VARIABLE = "CAGEFLOW_CYBORG_PATH"

# Set before anything imports Numba, so that no test can run a stale kernel, however pytest was started.
os.environ["NUMBA_CACHE_DIR"] = str(numba_cache_dir(ROOT))

# A failing example fails again at the next run. The first example of a test may compile the simulator: no deadline.
settings.register_profile("cageflow", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("cageflow")

# A shell starts what runs in the background with SIGINT ignored, and every process below would go on ignoring it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Let the random streams wrap around where the rules run as plain Python; compiled, nothing is said of it."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        config.addinivalue_line("filterwarnings", "ignore:overflow encountered in scalar:RuntimeWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need an installed CybORG where none is named."""
    if os.environ.get(CYBORG_VARIABLE):
        return
    left_out = [item for item in items if item.get_closest_marker("cyborg")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("cyborg")]


@pytest.fixture(scope="session")
def cyborg_path() -> Path:
    """Folder that holds CybORG's package, for tests marked `cyborg`."""
    return Path(os.environ[CYBORG_VARIABLE])
