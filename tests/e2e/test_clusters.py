"""Searches on a real Dask cluster and a real Ray cluster, each of two worker processes, one of which is killed."""

import contextlib
import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import distributed
import psutil
import pytest

import cageflow as cageflow_package
from cageflow.errors import UserError
from cageflow.runs.progress import Quiet
from cageflow.runs.runs import start as start_run
from cageflow.settings.reading import make_config
from tests.e2e.command_line import cageflow
from tests.helpers.processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# The code that runs here, wherever another is installed. Ray's tokens are of the user's home; a test needs none.
SOURCES = os.pathsep.join(map(str, (Path(cageflow_package.__file__).parents[1], ROOT)))
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCES, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
WAIT_S = 200  # for anything, on a busy machine


class Cluster(NamedTuple):
    """A running cluster.

    Attributes:
        executor: that it is chosen by.
        address: of it.
        busy: gives the ids of the worker processes that run a trial now.
    """

    executor: str
    address: str
    busy: Callable[[], list[int]]


def start(*command: object, log: Path | None = None) -> "subprocess.Popen[str]":
    with Path(os.devnull if log is None else log).open("w") as output:
        words = [str(word) for word in command]
        return subprocess.Popen(words, env=ENVIRONMENT, stdout=output, stderr=output, text=True, start_new_session=True)


def end(process: "subprocess.Popen[str]") -> None:
    """Kill a process with all that it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for relative in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                relative.kill()
    process.kill()
    process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask")
    address = f"127.0.0.1:{free_port()}"
    scheduler = ("--host", "127.0.0.1", "--port", address.split(":")[1], "--dashboard-address", ":0")
    worker = (address, "--nthreads", 1, "--no-dashboard", "--local-directory", folder)
    with ExitStack() as ending:
        for command in (("scheduler", *scheduler), ("worker", *worker), ("worker", *worker)):
            ending.callback(end, start(BIN / "dask", *command))
        client = ending.enter_context(distributed.Client(address, timeout=WAIT_S, set_as_default=False))
        client.wait_for_workers(2, timeout=WAIT_S)

        def busy() -> list[int]:
            workers = [worker for worker, tasks in client.processing().items() if tasks]
            return list(client.run(os.getpid, workers=workers).values()) if workers else []

        yield Cluster("dask", address, busy)


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # pytest's folders are too deep for a Unix socket
    address = f"127.0.0.1:{free_port()}"
    node = ("--num-cpus", 1, "--min-worker-port", 0, "--max-worker-port", 0, "--dashboard-agent-listen-port", 0)
    node = (*node, "--object-store-memory", 100_000_000, "--block")
    head = ("--port", address.split(":")[1], "--ray-client-server-port", free_port(), "--include-dashboard", "false")
    nodes = []
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        for name, what in (("head", ("--head", *head, "--temp-dir", folder)), ("second", ("--address", address))):
            nodes.append(start_node(ending, folder / name, *what, *node))

        def busy() -> list[int]:
            family = [child for node in nodes for child in psutil.Process(node.pid).children(recursive=True)]
            return [child.pid for child in family if "ray::run_trial" in command_of(child)]

        yield Cluster("ray", address, busy)


def start_node(ending: ExitStack, log: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Start a node of Ray's, which on a busy machine gives up after half a minute: then again."""
    for _ in range(4):
        node = start(BIN / "ray", "start", *arguments, log=log)
        ending.callback(end, node)
        assert wait_until(lambda node=node: node.poll() is not None or "Ray runtime started" in log.read_text(), WAIT_S)
        if node.poll() is None:
            return node
    raise AssertionError(log.read_text())


def command_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


@pytest.fixture(params=["dask", "ray"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    found = request.getfixturevalue(f"{request.param}_cluster")
    assert isinstance(found, Cluster)
    return found


@contextlib.contextmanager
def search(*arguments: object, program: tuple[str, ...] = ("-m", "cageflow")) -> "Iterator[subprocess.Popen[str]]":
    """A search in a process of its own, which is gone in the end."""
    command = [sys.executable, *program, "search", *map(str, arguments)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        end(process)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_search_with_a_worker_killed_in_the_middle_counts_every_trial_once(cluster: Cluster, tmp_path: Path) -> None:
    run = tmp_path / "run"
    size = ("--total-episodes", 4000, "--max-episodes-per-workflow", 800, "--evaluation-episodes", 100)
    where = ("--parallel-workflows", 2, "--executor", cluster.executor, "--address", cluster.address)
    log = run / "gp_sampling_log.csv"
    busy: list[int] = []

    def is_busy() -> bool:
        busy[:] = cluster.busy()  # a moment later they may be between two trials
        return bool(busy)

    with search(*size, *where, "--max-steps", 50, "--seed", 3, "--json", "--run-dir", run) as searching:
        assert wait_until(lambda: searching.poll() is not None or (log.exists() and len(rows(log)) > 0), WAIT_S)
        assert wait_until(lambda: searching.poll() is not None or is_busy(), WAIT_S)
        victim = psutil.Process(busy[0])
        victim.kill()
        out, err = searching.communicate(timeout=WAIT_S)
    assert searching.returncode == 0, err
    assert not victim.is_running()
    trials = rows(log)
    assert sorted(int(row["Iteration"]) for row in trials) == list(range(len(trials)))
    assert sum(int(row["Episodes_Trained"]) for row in trials) == 4000
    assert int(trials[-1]["Run_Episodes"]) == 4000
    updates = rows(run / "training_log.csv")
    assert len({(row["Trial"], row["Update"]) for row in updates}) == len(updates)
    assert json.loads(out)["episodes"] == 4000  # nothing else on standard output


TIMES = {"Collection_Time", "Update_Time", "Seconds"}


def figures(run: Path) -> dict[str, list[dict[str, str]]]:
    """All that the logs say, but for what a clock has said."""
    return {
        name: [{key: value for key, value in row.items() if key not in TIMES} for row in rows(run / name)]
        for name in ("gp_sampling_log.csv", "acquisition.csv", "training_log.csv")
    }


# Learners travel, since each order begins with the nearest one's.
ONE_AT_A_TIME = [
    *(
        "--total-episodes",
        64,
        "--max-episodes-per-workflow",
        16,
        "--episodes-per-update",
        8,
        "--evaluation-episodes",
        6,
    ),
    *("--max-steps", 10, "--seed", 5, "--strategy", "random", "--init", "nearest", "--quiet"),
    *("--parallel-workflows", 1),
]


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    """Figures of a search in one process."""
    run = tmp_path_factory.mktemp("inline") / "run"
    assert cageflow("search", *ONE_AT_A_TIME, "--run-dir", run).status == 0
    found = figures(run)
    assert len(found["gp_sampling_log.csv"]) == 4
    return found


@pytest.mark.parametrize("name", ["process", "dask", "ray"])
def test_one_seed_gives_one_search_wherever_its_trials_run(
    name: str, inline: dict[str, list[dict[str, str]]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = () if name == "process" else ("--address", request.getfixturevalue(f"{name}_cluster").address)
    with search(*ONE_AT_A_TIME, "--executor", name, *address, "--run-dir", tmp_path / "run") as searching:
        _, err = searching.communicate(timeout=WAIT_S)
    assert searching.returncode == 0, err
    assert figures(tmp_path / "run") == inline


def test_search_in_python_runs_on_an_executor_of_the_users_own_and_leaves_it_open(tmp_path: Path) -> None:
    settings = {"total_episodes": 48, "max_episodes_per_workflow": 16, "episodes_per_update": 8, "max_steps": 10}
    config = make_config(
        {**settings, "evaluation_episodes": 6, "seed": 5, "strategy": "random", "parallel_workflows": 1}
    )
    with ThreadPoolExecutor(1) as executor:
        start_run(config, tmp_path / "own", Quiet(), executor)
        assert executor.submit(abs, -1).result() == 1
        with pytest.raises(UserError, match="train runs in one process"):
            start_run(make_config({"command": "train", "max_steps": 10}), tmp_path / "train", Quiet(), executor)
    start_run(config, tmp_path / "here", Quiet())
    assert figures(tmp_path / "own") == figures(tmp_path / "here")
    assert len(figures(tmp_path / "own")["gp_sampling_log.csv"]) == 3


IMPATIENT = """
from cageflow.cli import main
from cageflow.work import executors
executors.CONNECT_S = 4.0
main()
"""


def test_address_where_something_else_listens_is_refused_in_bounded_time(tmp_path: Path) -> None:
    with ExitStack() as ending:
        mute = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        tries = {
            name: ending.enter_context(
                search(
                    *("--executor", name, "--address", address, "--run-dir", tmp_path / name),
                    program=("-c", IMPATIENT),
                )
            )
            for name in ("dask", "ray")
        }
        for name, process in tries.items():
            _, err = process.communicate(timeout=WAIT_S)  # Ray itself would give up after two minutes, Dask never
            assert process.returncode == 2, err
            (sentence,) = [line for line in err.splitlines() if line.startswith("cageflow: ")]  # Ray warns besides
            assert re.search(rf"no \w+ \w+ answers at '{address}': .* after 4 s", sentence)
            assert not (tmp_path / name).exists()
