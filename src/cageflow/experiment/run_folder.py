"""The folder of a run: its configuration, its logs, its policies and the checkpoint from which it goes on."""

from __future__ import annotations

import fcntl
import json
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import requires, version
from pathlib import Path
from typing import IO, Any

from cageflow.errors import UserError
from cageflow.experiment.config import ABOUT, MADE_FOR, RunConfig
from cageflow.experiment.csv_log import CsvLog
from cageflow.experiment.state_file import load_state, save_state
from cageflow.experiment.trainer import UpdateRecord, Workflow
from cageflow.files import write_whole
from cageflow.learn.fit import NETWORK_FILE
from cageflow.search import LANDSCAPE_COLUMNS, Acquisition, Iteration, LandscapeRow, landscape_cells
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

CONFIG, NETWORK, CHECKPOINT = "config.json", NETWORK_FILE, "checkpoint"
STATE, LOCK = "state.pt", "lock"
START = "start.pt"
UNIVERSAL_TABLE = "universal.csv"
LOGS = {
    "training": ("training_log.csv", TRAINING_COLUMNS),
    "sampling": ("gp_sampling_log.csv", SAMPLING_COLUMNS),
    "acquisition": ("acquisition.csv", ACQUISITION_COLUMNS),
    "landscape": ("landscape.csv", LANDSCAPE_COLUMNS),
}
"""The logs: file and columns."""


def logs_of(command: str) -> tuple[str, ...]:
    """Which of `LOGS` a run of this command keeps."""
    if command == "universal":
        return ("training",)
    return ("training", "sampling", "landscape" if command == "landscape" else "acquisition")


class RunFolder:
    """An open run folder.

    Args:
        path: the folder.
        lock: what `lock_folder` gave; closed with the folder.
        command: whose run it is.
        lengths: bytes of each log at the checkpoint; None for a new run.

    Attributes:
        path: the folder.
        logs: its CSV logs by their names in `LOGS`.
    """

    def __init__(self, path: Path, lock: IO[bytes], command: str, lengths: dict[str, int] | None) -> None:
        self.path = path
        self._lock = lock
        kept = lengths or {}
        self.logs = {name: CsvLog(path / LOGS[name][0], LOGS[name][1], kept.get(name)) for name in logs_of(command)}

    @classmethod
    def create(cls, path: Path, config: RunConfig, start: bytes | None = None) -> RunFolder:
        """Begin a run in a new folder, which keeps the network file if there is one.

        Args:
            path: of the folder.
            config: of the run.
            start: the learner that its trainings begin with, which the folder keeps too; None to begin from scratch.

        Raises:
            UserError: the folder holds something already, or cannot be written.
        """
        check_new(path)
        content = {**config.to_json(), MADE_FOR: config.game().network.identity.to_json(), ABOUT: _about()}
        try:
            (path / CHECKPOINT).mkdir(parents=True)
        except OSError as error:
            raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error
        try:
            (path / "policies").mkdir()
            write_whole(path / CONFIG, (json.dumps(content, indent=2) + "\n").encode())
            if config.scenario is not None:
                write_whole(path / NETWORK, Path(config.scenario).read_bytes())
            if start is not None:
                write_whole(path / CHECKPOINT / START, start)
            return cls(path, lock_folder(path, path / CHECKPOINT / LOCK), config.command, None)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error

    @classmethod
    def resume(cls, path: Path, command: str) -> tuple[RunFolder, dict[str, Any]]:
        """Open the folder of a run of this command that was stopped, its logs cut back to its checkpoint.

        Returns:
            The folder and its checkpoint, which is empty if the run was stopped before the first.

        Raises:
            UserError: the run is still going, its checkpoint cannot be read, or its logs are not those of then.
        """
        (path / CHECKPOINT).mkdir(exist_ok=True)
        (path / "policies").mkdir(exist_ok=True)
        lock = lock_folder(path, path / CHECKPOINT / LOCK)
        state_path = path / CHECKPOINT / STATE
        try:
            if not state_path.exists():
                return cls(path, lock, command, dict.fromkeys(LOGS, 0)), {}
            state = load_state(state_path)
            lengths = state.get("lengths")
            if not isinstance(lengths, dict) or lengths.keys() != {*logs_of(command)} or "run_episodes" not in state:
                raise UserError(f"{state_path} is no checkpoint of a run")
            _check_logs(path, lengths)
            return cls(path, lock, command, lengths), state
        except UserError:
            lock.close()
            raise

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the checkpoint; the logs up to here belong to it."""
        for log in self.logs.values():
            log.sync()
        lengths = {name: log.length for name, log in self.logs.items()}
        save_state(self.path / CHECKPOINT / STATE, {**state, "lengths": lengths})

    def network(self) -> bytes | None:
        """The network file that the run began with; None for CAGE-2's own."""
        path = self.path / NETWORK
        return path.read_bytes() if path.exists() else None

    def start(self) -> bytes | None:
        """The learner that the trainings of the run begin with; None to begin from scratch."""
        path = self.path / CHECKPOINT / START
        return path.read_bytes() if path.exists() else None

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Turn the errors of a checkpoint of another shape into a sentence."""
        try:
            yield
        except UserError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            what = " ".join(str(error).split())
            raise UserError(f"the checkpoint in {self.path} does not fit its {CONFIG}: {what}") from error

    def learner_path(self, order: Order) -> Path:
        """Where the learner of an order rests between its trials."""
        return self.path / CHECKPOINT / f"learner_{order_id(order):03d}.pt"

    def policy_path(self, order: Order | None, seed: int | None = None) -> Path:
        """Where the policy of an order stands; of the landscape's training number `seed` of it, where that is given."""
        name = "policy" if order is None else policy_name(order)
        return self.path / "policies" / f"{name}{'' if seed is None else f'_seed{seed}'}.safetensors"

    @property
    def best_policy_path(self) -> Path:
        """Where a search keeps the policy of its best trial."""
        return self.path / "policies" / "best.safetensors"

    @property
    def universal_policy_path(self) -> Path:
        """Where the policy of all orders stands."""
        return self.path / "policies" / "universal.safetensors"

    @property
    def universal_table_path(self) -> Path:
        """Where it is written what the policy of all orders is worth for each."""
        return self.path / UNIVERSAL_TABLE

    def log_update(
        self, order: Workflow, record: UpdateRecord, trial: int, run_episodes: int, ending: str | None
    ) -> None:
        """Write one update."""
        self.logs["training"].append([training_row(order, record, trial, run_episodes, ending)])

    def log_acquisition(self, trial: int, acquisition: Acquisition) -> None:
        """Write what the strategy thought of all orders before a trial."""
        self.logs["acquisition"].append(acquisition_rows(trial, acquisition))

    def log_landscape(self, row: LandscapeRow) -> None:
        """Write one training of a landscape."""
        self.logs["landscape"].append([landscape_cells(row)])

    def log_iteration(self, iteration: Iteration) -> None:
        """Write one trial of a search or a landscape."""
        result = iteration.result
        score = "" if iteration.ucb is None else f"{iteration.ucb:.4f}"
        self.logs["sampling"].append(
            [
                [
                    iteration.request.trial,
                    order_text(result.order),
                    score,
                    f"{result.reward:.4f}",
                    f"{result.compliance:.4f}",
                ]
                + [result.episodes, int(iteration.gp_updated), order_id(result.order), f"{result.reward_se:.4f}"]
                + ["" if result.compliance_se is None else f"{result.compliance_se:.4f}", result.total_episodes]
                + [iteration.episodes, result.ending, f"{result.seconds:.2f}"]
            ]
        )

    def close(self) -> None:
        """Close the logs."""
        with ExitStack() as closing:  # each is closed even where another cannot be
            for log in self.logs.values():
                closing.callback(log.close)
            closing.callback(self._lock.close)


def order_text(order: Workflow) -> str:
    """An order as the logs write it, without commas; "any" for a universal policy, "none" for plain PPO."""
    return format_order(order).replace(",", ">") if isinstance(order, tuple) else order or "none"


def policy_name(order: Order) -> str:
    """The file name of an order's policy, such as `017_defender-user-enterprise-op_server-op_host`."""
    return f"{order_id(order):03d}_{format_order(order).replace(',', '-')}"


def training_row(
    order: Workflow, record: UpdateRecord, trial: int, run_episodes: int, ending: str | None
) -> list[object]:
    """The line of one update in `training_log.csv`, in the order of TRAINING_COLUMNS."""
    stats = record.stats
    return [
        order_id(order) if isinstance(order, tuple) else -1,
        order_text(order),
        record.update,
        record.episodes,
        f"{record.env_reward:.4f}",
        f"{record.alignment:.4f}",
        f"{record.total_reward:.4f}",
        "" if order is None else f"{record.compliance:.4f}",
        "" if order is None else f"{record.fixes:.2f}",
        f"{record.collection_s:.4f}",
        f"{stats.seconds:.4f}",
        trial,
        run_episodes,
        f"{stats.policy_loss:.6g}",
        f"{stats.value_loss:.6g}",
        f"{stats.entropy:.6g}",
        f"{stats.approx_kl:.6g}",
        f"{stats.clip_fraction:.4f}",
        f"{stats.explained_variance:.4f}",
        f"{stats.grad_norm:.6g}",
        f"{stats.learning_rate:.6g}",
        stats.distinct_observations,
        ending or "",
    ]


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


def lock_folder(path: Path, lock: Path) -> IO[bytes]:
    """Keep a run folder to this process, until the file that is given back is closed or the process ends.

    Args:
        path: the folder.
        lock: a file in it that stands for it.

    Raises:
        UserError: another process has it.
    """
    file = lock.open("ab")
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
        log = path / LOGS[name][0]
        size = log.stat().st_size if log.exists() else 0
        if size < length:
            raise UserError(f"{log} has {size} bytes, but had {length} at the checkpoint: put the file back")


def on_own_network(config: RunConfig, path: Path) -> RunConfig:
    """The configuration of the run in a folder, on the network that the folder keeps."""
    return config if config.scenario is None else config.model_copy(update={"scenario": str(path / NETWORK)})


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


def _about() -> dict[str, str]:
    """Versions and machine: of this package, and of all that it needs."""
    needed = [re.split(r"[^\w-]", line)[0] for line in requires("cageflow") or [] if "extra ==" not in line]
    libraries = {name: version(name) for name in ("cageflow", *needed)}
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}"
    return {**libraries, "python": platform.python_version(), "machine": machine, "started": time.strftime("%FT%T%z")}
