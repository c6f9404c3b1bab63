"""The folder of a run: its configuration, its logs, its policies and the checkpoint from which it goes on."""

from __future__ import annotations

import fcntl
import io
import json
import platform
import re
import shutil
import time
from contextlib import ExitStack
from importlib.metadata import requires, version
from pathlib import Path
from typing import IO, Any

import torch

from cageflow.errors import UserError
from cageflow.experiment.config import ABOUT, RunConfig
from cageflow.experiment.csv_log import CsvLog
from cageflow.files import write_whole
from cageflow.search import Acquisition, Iteration
from cageflow.workflow.orders import ALL_ORDERS, Order, format_order, order_id

TRAINING_COLUMNS = (
    "Workflow_ID,Workflow_Order,Update,Episodes,Env_Reward,Alignment_Bonus,Total_Reward,Compliance,Avg_Fixes,"
    "Collection_Time,Update_Time,Trial,Run_Episodes,Policy_Loss,Value_Loss,Entropy,Approx_KL,Clip_Fraction,"
    "Explained_Variance,Grad_Norm,Learning_Rate,Distinct_Observations,Ending"
)
SAMPLING_COLUMNS = (
    "Iteration,Workflow,UCB_Score,Reward,Final_Compliance,Episodes_Trained,GP_Updated,"
    "Workflow_ID,Reward_SE,Compliance_SE,Workflow_Episodes,Run_Episodes,Ending,Seconds"
)
ACQUISITION_COLUMNS = "Iteration,Workflow_ID,Workflow,Mean,Std,UCB,Feasibility,Score"

CONFIG, NETWORK, CHECKPOINT = "config.json", "network.yaml", "checkpoint"
STATE = "state.pt"
LOGS = {"training": "training_log.csv", "sampling": "gp_sampling_log.csv", "acquisition": "acquisition.csv"}


class RunFolder:
    """An open run folder.

    Args:
        path: the folder.
        lock: what `_lock` gave; closed with the folder.
        lengths: bytes of each log at the checkpoint; None for a new run.

    Attributes:
        path: the folder.
        training, sampling, acquisition: its CSV logs.
    """

    def __init__(self, path: Path, lock: IO[bytes], lengths: dict[str, int] | None) -> None:
        self.path = path
        self._lock = lock
        kept = lengths or {}
        self.training = CsvLog(path / LOGS["training"], TRAINING_COLUMNS, kept.get("training"))
        self.sampling = CsvLog(path / LOGS["sampling"], SAMPLING_COLUMNS, kept.get("sampling"))
        self.acquisition = CsvLog(path / LOGS["acquisition"], ACQUISITION_COLUMNS, kept.get("acquisition"))

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """Begin a run in a new folder, which keeps the network file if there is one.

        Raises:
            UserError: the folder holds something already, or cannot be written.
        """
        check_new(path)
        content = {**config.to_json(), ABOUT: _about()}
        try:
            (path / CHECKPOINT).mkdir(parents=True)
        except OSError as error:
            raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error
        try:
            (path / "policies").mkdir()
            write_whole(path / CONFIG, (json.dumps(content, indent=2) + "\n").encode())
            if config.scenario is not None:
                write_whole(path / NETWORK, Path(config.scenario).read_bytes())
            return cls(path, _lock(path), None)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error

    @classmethod
    def resume(cls, path: Path) -> tuple[RunFolder, dict[str, Any]]:
        """Open the folder of a run that was stopped, its logs cut back to its checkpoint.

        Returns:
            The folder and its checkpoint, which is empty if the run was stopped before the first.

        Raises:
            UserError: the run is still going, its checkpoint cannot be read, or its logs are not those of then.
        """
        (path / CHECKPOINT).mkdir(exist_ok=True)
        (path / "policies").mkdir(exist_ok=True)
        lock = _lock(path)
        state_path = path / CHECKPOINT / STATE
        try:
            if not state_path.exists():
                return cls(path, lock, dict.fromkeys(LOGS, 0)), {}
            state = load_state(state_path)
            lengths = state.get("lengths")
            if not isinstance(lengths, dict) or lengths.keys() != LOGS.keys() or "run_episodes" not in state:
                raise UserError(f"{state_path} is no checkpoint of a run")
            _check_logs(path, lengths)
            return cls(path, lock, lengths), state
        except UserError:
            lock.close()
            raise

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the checkpoint; the logs up to here belong to it."""
        logs = {"training": self.training, "sampling": self.sampling, "acquisition": self.acquisition}
        for log in logs.values():
            log.sync()
        save_state(
            self.path / CHECKPOINT / STATE, {**state, "lengths": {name: log.length for name, log in logs.items()}}
        )

    def learner_path(self, order: Order) -> Path:
        """Where the learner of an order rests between its trials."""
        return self.path / CHECKPOINT / f"learner_{order_id(order):03d}.pt"

    def policy_path(self, order: Order | None) -> Path:
        """Where the policy of an order stands."""
        return self.path / "policies" / ("policy.safetensors" if order is None else f"{policy_name(order)}.safetensors")

    @property
    def best_policy_path(self) -> Path:
        """Where a search keeps the policy of its best trial."""
        return self.path / "policies" / "best.safetensors"

    def log_iteration(self, iteration: Iteration) -> None:
        """Write one trial of a search, and what the strategy thought of all orders before it."""
        result, acquisition = iteration.result, iteration.choice.acquisition
        number, workflow = iteration.request.trial, order_id(result.order)
        score = "" if acquisition is None else f"{acquisition.ucb[workflow]:.4f}"
        self.sampling.append(
            [
                [number, order_text(result.order), score, f"{result.reward:.4f}", f"{result.compliance:.4f}"]
                + [result.episodes, int(iteration.gp_updated), workflow, f"{result.reward_se:.4f}"]
                + ["" if result.compliance_se is None else f"{result.compliance_se:.4f}", result.total_episodes]
                + [iteration.episodes, result.ending, f"{result.seconds:.2f}"]
            ]
        )
        if acquisition is not None:
            self.acquisition.append(acquisition_rows(number, acquisition))

    def close(self) -> None:
        """Close the logs."""
        with ExitStack() as closing:  # each is closed even where another cannot be
            for file in (self.training, self.sampling, self.acquisition, self._lock):
                closing.callback(file.close)


def order_text(order: Order | None) -> str:
    """An order as the logs write it, without commas; "none" for plain PPO."""
    return "none" if order is None else format_order(order).replace(",", ">")


def policy_name(order: Order) -> str:
    """The file name of an order's policy, such as `017_defender-user-enterprise-op_server-op_host`."""
    return f"{order_id(order):03d}_{format_order(order).replace(',', '-')}"


def acquisition_rows(iteration: int, acquisition: Acquisition) -> list[list[object]]:
    """The 120 lines of one iteration."""
    columns = (acquisition.mean, acquisition.std, acquisition.ucb, acquisition.feasibility, acquisition.score)
    return [
        [iteration, i, order_text(order), *(f"{column[i]:.6g}" for column in columns)]
        for i, order in enumerate(ALL_ORDERS)
    ]


def check_new(path: Path) -> None:
    """Refuse a folder for a new run that holds something.

    Raises:
        UserError: it does.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file: name a new folder for the run")
    if path.exists() and any(path.iterdir()):
        others = f", or go on with the run in it by --resume {path}" if (path / CONFIG).exists() else ""
        raise UserError(f"{path} exists and is not empty: name a new folder{others}")


def _lock(path: Path) -> IO[bytes]:
    """Keep a run folder to this process, until the file that is given back is closed or the process ends.

    Raises:
        UserError: another process has it.
    """
    file = (path / CHECKPOINT / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UserError(f"the run in {path} is still going, in another process: wait for it or stop that one") from None
    except OSError:  # a file system without locks
        pass
    return file


def _check_logs(path: Path, lengths: dict[str, int]) -> None:
    """Refuse logs that cannot be those of a checkpoint.

    Raises:
        UserError: one is shorter than it was then.
    """
    for name, length in lengths.items():
        log = path / LOGS[name]
        size = log.stat().st_size if log.exists() else 0
        if size < length:
            raise UserError(f"{log} has {size} bytes, but had {length} at the checkpoint: put the file back")


def default_run_dir(config: RunConfig, root: Path = Path("runs")) -> Path:
    """A folder name that no run has yet: command, red agent, time and seed."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    stem = f"{config.command}-{config.game().red_agent}-{stamp}-seed{config.seed}"
    path = root / stem
    number = 2
    while path.exists():
        path = root / f"{stem}-{number}"
        number += 1
    return path


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_whole(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote; a file that could carry code is refused.

    Raises:
        UserError: it cannot be read.
    """
    try:
        state: Any = torch.load(path, weights_only=True)
    except Exception as error:  # torch raises many kinds, among them bare Exception, for a damaged file
        raise UserError(f"{path} is damaged, or no checkpoint of this version") from error
    if not isinstance(state, dict):
        raise UserError(f"{path} is no checkpoint of a run")
    return state


def _about() -> dict[str, str]:
    """Versions and machine: of this package, and of all that it needs."""
    needed = [re.split(r"[^\w-]", line)[0] for line in requires("cageflow") or [] if "extra ==" not in line]
    libraries = {name: version(name) for name in ("cageflow", *needed)}
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}"
    return {**libraries, "python": platform.python_version(), "machine": machine, "started": time.strftime("%FT%T%z")}
