"""The folder of a run: its configuration, its logs, its policies and the checkpoint from which it goes on."""

from __future__ import annotations

import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.files import checksum, is_partial, read_whole, sync_folder, write_whole
from cageflow.learn.fit import NETWORK_FILE
from cageflow.runs.csv_log import CsvLog, LogEnd
from cageflow.runs.folder_lock import LOCK, FolderLock, lock_folder
from cageflow.runs.logs import BELIEFS, LOGS, TRIALS, UPDATES, LoggedBelief, LoggedTrial, LoggedUpdate, logs_of
from cageflow.scenario.named import network_file
from cageflow.scenario.orders import Order, OrderSpace
from cageflow.search import LANDSCAPE, Acquisition, Iteration, LandscapeRow, NumberedRow
from cageflow.settings.config import ABOUT, FILES, MADE_FOR, RunConfig, read_config
from cageflow.settings.settings_file import check_settings, dump_settings, read_object
from cageflow.training.learners import Learners
from cageflow.training.state_file import load_state, save_state
from cageflow.training.trainer import UpdateRecord, Workflow

CONFIG, NETWORK, CHECKPOINT, POLICIES = "config.json", NETWORK_FILE, "checkpoint", "policies"
STATE, START = "state.pt", "start.pt"
UNIVERSAL_TABLE = "universal.csv"


class RunFolder:
    """An open run folder.

    Args:
        path: the folder.
        lock: that keeps it to this process; closed with the folder.
        logs: by their names in `LOGS`, cut back to the checkpoint.
        orders: of the network that is played.

    Attributes:
        path: the folder.
        logs: as given.
    """

    def __init__(self, path: Path, lock: FolderLock, logs: Mapping[str, CsvLog], orders: OrderSpace) -> None:
        self.path = path
        self._lock = lock
        self.logs = logs
        self._orders = orders

    @classmethod
    def create(
        cls, path: Path, config: RunConfig, start: bytes | None = None, say: Callable[[str], None] = lambda words: None
    ) -> RunFolder:
        """Begin a run in a new folder, which keeps the network file if there is one.

        The settings are written last: a folder that has them has all.

        Args:
            path: of the folder; what a run that was killed while it made it has left there is replaced.
            config: of the run.
            start: the learner that its trainings begin with, which the folder keeps too; None to begin from scratch.
            say: is told what the user should know of the folder.

        Raises:
            UserError: the folder holds something already, or cannot be written.
        """
        check_new(path)
        is_ours = False
        with ExitStack() as closing:
            try:
                files = _kept_files(config, start)
                has_remains = path.exists() and any(path.iterdir())
                (path / CHECKPOINT).mkdir(parents=True, exist_ok=True)
                lock = lock_folder(path, path / CHECKPOINT / LOCK, say)
                closing.callback(lock.close)
                check_new(path)  # another may have made it until we had the lock
                is_ours = True
                if has_remains:
                    say(f"{path} was left by a run that was killed while it made it: it is made anew")
                _clear(path)
                sync_folder(path.parent)
                (path / POLICIES).mkdir()
                for name, copy in files.items():
                    write_whole(path / name, copy)
                logs = _open_logs(path, config.command, None)
                for log in logs.values():
                    closing.callback(log.close)
                network = config.game().network
                folder = cls(path, lock, logs, network.orders)
                folder._save({"run_episodes": 0})
                sums = {name: checksum(copy) for name, copy in files.items()}
                made_for = network.identity.to_json()
                content = {**config.to_json(), MADE_FOR: made_for, ABOUT: _about(), FILES: sums}
                write_whole(path / CONFIG, dump_settings(content))
            except OSError as error:
                if is_ours:
                    shutil.rmtree(path, ignore_errors=True)
                raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error
            closing.pop_all()
            return folder

    @classmethod
    def resume(
        cls, path: Path, config: RunConfig, say: Callable[[str], None] = lambda words: None, wait_s: float = 0.0
    ) -> tuple[RunFolder, dict[str, Any]]:
        """Open the folder of a run that was stopped, its logs cut back to its checkpoint.

        Args:
            path: of the folder.
            config: that it goes on with, and that the folder says from now on.
            say: is told what the user should know of the folder.
            wait_s: seconds for another process to leave it.

        Returns:
            The folder and its checkpoint.

        Raises:
            UserError: the run is still going, its checkpoint cannot be read, or its logs are not those of then.
        """
        with ExitStack() as closing:
            if not (path / CHECKPOINT).is_dir():
                raise UserError(f"{path / CHECKPOINT} is missing: put it back, or start a new run")
            lock = lock_folder(path, path / CHECKPOINT / LOCK, say, wait_s)
            closing.callback(lock.close)
            state, ends = _read_checkpoint(path, config.command)
            orders = config.game().network.orders
            Learners(path / CHECKPOINT, orders, state.get("learners")).check()
            logs = _open_logs(path, config.command, ends)
            for log in logs.values():
                closing.callback(log.close)
            written = check_settings(path / CONFIG, read_object(path / CONFIG))
            wanted = {**written, **config.to_json(), "scenario": written.get("scenario")}
            if wanted != written:
                write_whole(path / CONFIG, dump_settings(wanted))
            (path / POLICIES).mkdir(exist_ok=True)
            closing.pop_all()
            return cls(path, lock, logs, orders), state

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the checkpoint; the logs up to here belong to it.

        Raises:
            RunFailedError: the folder, its lock or a log was removed or replaced.
        """
        self._lock.check()
        self._save(state)

    def _save(self, state: dict[str, Any]) -> None:
        for log in self.logs.values():
            log.sync()
        ends = {name: log.end.to_json() for name, log in self.logs.items()}
        save_state(self.path / CHECKPOINT / STATE, {**state, "logs": ends})

    def network(self) -> bytes | None:
        """The network file that the run began with; None for CAGE-2's own."""
        return self._kept(NETWORK)

    def start(self) -> bytes | None:
        """The learner that the trainings of the run begin with; None to begin from scratch."""
        return self._kept(f"{CHECKPOINT}/{START}")

    def _kept(self, name: str) -> bytes | None:
        path = self.path / name
        return read_whole(path) if path.exists() else None

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

    @property
    def checkpoint_path(self) -> Path:
        """Where all stands that only going on needs."""
        return self.path / CHECKPOINT

    def policy_path(self, order: Order | None, seed: int | None = None) -> Path:
        """Where the policy of an order stands; of the landscape's training number `seed` of it, where that is given."""
        name = "policy" if order is None else self._orders.file_name(order)
        return self.path / POLICIES / f"{name}{'' if seed is None else f'_seed{seed}'}.safetensors"

    @property
    def best_policy_path(self) -> Path:
        """Where a search keeps the policy of its best trial."""
        return self.path / POLICIES / "best.safetensors"

    @property
    def universal_policy_path(self) -> Path:
        """Where the policy of all orders stands."""
        return self.path / POLICIES / "universal.safetensors"

    @property
    def universal_table_path(self) -> Path:
        """Where it is written what the policy of all orders is worth for each."""
        return self.path / UNIVERSAL_TABLE

    def log_update(
        self, order: Workflow, record: UpdateRecord, trial: int, run_episodes: int, ending: str | None
    ) -> None:
        """Write one update."""
        line = LoggedUpdate.of(self._orders, order, record, trial=trial, run_episodes=run_episodes, ending=ending)
        self.logs["training"].append([UPDATES.cells(line)])

    def log_acquisition(self, trial: int, acquisition: Acquisition, tried: Sequence[Order] = ()) -> None:
        """Write what the strategy thought of the orders before a trial, `tried` being those that had one before."""
        lines = LoggedBelief.all_of(self._orders, trial, acquisition, tried)
        self.logs["acquisition"].append([BELIEFS.cells(line) for line in lines])

    def log_landscape(self, row: LandscapeRow) -> None:
        """Write one training of a landscape."""
        self.logs["landscape"].append([LANDSCAPE.cells(NumberedRow(self._orders.rank(row.order), row))])

    def log_iteration(self, iteration: Iteration) -> None:
        """Write one trial of a search or a landscape."""
        self.logs["sampling"].append([TRIALS.cells(LoggedTrial.of(self._orders, iteration))])

    def close(self) -> None:
        """Close the logs."""
        with ExitStack() as closing:  # each is closed even where another cannot be
            for log in self.logs.values():
                closing.callback(log.close)
            closing.callback(self._lock.close)


def check_new(path: Path) -> None:
    """Refuse a folder for a new run that holds something, but for what a run leaves that was killed while it made it.

    Raises:
        UserError: it does.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file: name a new folder for the run")
    if path.exists() and any(not is_partial(one) for one in path.iterdir()) and not _is_unfinished(path):
        others = f", or go on with the run in it by --resume {path}" if (path / CONFIG).exists() else ""
        raise UserError(f"{path} exists and is not empty: name a new folder{others}")


def read_settings(path: Path) -> RunConfig:
    """The settings of a run that is to go on, the files that it began with in order.

    Raises:
        UserError: the folder holds no run, or something of it is not as it was written.
    """
    if not (path / CONFIG).exists() and path.is_dir() and _is_unfinished(path):
        raise UserError(
            f"{path} is no run folder yet: the run was killed while it made it; start it anew, the folder will do"
        )
    config = read_config(path / CONFIG)
    values = check_settings(path / CONFIG, read_object(path / CONFIG))
    for name, wanted in values.get(FILES, {}).items():
        try:
            content = read_whole(path / name)
        except OSError as error:
            raise UserError(f"{path / name} cannot be read ({error.strerror}): put the file back") from error
        if checksum(content) != wanted:
            raise UserError(f"{path / name} was changed after the run began: put it back as it was")
    return config


def finished_policy(path: Path) -> Path | None:
    """The policy that a run of `train` has left in its folder; None while it has left none that is as it was written.

    Raises:
        UserError: the checkpoint cannot be read, or the log is not the one of it.
    """
    if not (path / CONFIG).exists():
        return None
    state, ends = _read_checkpoint(path, "train")
    for name, end in ends.items():
        log = path / LOGS[name].name
        if log.is_symlink() or not log.exists() or checksum(read_whole(log)[: end.length]) != end.sha256:
            raise UserError(f"{log} is not as it was at the checkpoint: put the file back")
    if "policy" not in state:
        return None
    name, wanted = state["policy"]
    policy = path / POLICIES / name
    return policy if policy.is_file() and checksum(read_whole(policy)) == wanted else None


def _kept_files(config: RunConfig, start: bytes | None) -> dict[str, bytes]:
    """What a run goes on with beside its settings, by the place in its folder."""
    files = {}
    if config.scenario is not None:
        files[NETWORK] = network_file(config.scenario)
    if start is not None:
        files[f"{CHECKPOINT}/{START}"] = start
    return files


def _is_unfinished(path: Path) -> bool:
    """Whether a folder holds what `RunFolder.create` makes before the settings, and nothing else."""
    if not (path / CHECKPOINT).is_dir():
        return False
    heads = {log.name: (log.format.header + "\n").encode() for log in LOGS.values()}
    for one in path.iterdir():
        is_head = one.name in heads and one.is_file() and heads[one.name].startswith(_beginning(one, heads[one.name]))
        is_empty = one.name == POLICIES and one.is_dir() and not any(one.iterdir())
        if not (
            is_head or is_empty or is_partial(one) or one.name == CHECKPOINT or (one.name == NETWORK and one.is_file())
        ):
            return False
    return all(is_partial(one) or one.name in (LOCK, START, STATE) for one in (path / CHECKPOINT).iterdir())


def _beginning(path: Path, head: bytes) -> bytes:
    """Of a file, one byte more than a head has."""
    with path.open("rb") as file:
        return file.read(len(head) + 1)


def _clear(path: Path) -> None:
    """Remove what `_is_unfinished` has found, but for the lock."""
    for one in [*path.iterdir(), *(path / CHECKPOINT).iterdir()]:
        if one.name == POLICIES:
            one.rmdir()
        elif one.name not in (CHECKPOINT, LOCK):
            one.unlink()


def _read_checkpoint(path: Path, command: str) -> tuple[dict[str, Any], dict[str, LogEnd]]:
    """The state of a run, and where its logs ended then.

    Raises:
        UserError: there is none, or it is of something else.
    """
    state_path = path / CHECKPOINT / STATE
    state = load_state(state_path)
    logs = state.get("logs")
    if not isinstance(logs, dict) or logs.keys() != {*logs_of(command)} or "run_episodes" not in state:
        raise UserError(f"{state_path} is no checkpoint of a run")
    return state, {name: LogEnd(end["length"], end["sha256"]) for name, end in logs.items()}


def _open_logs(path: Path, command: str, ends: Mapping[str, LogEnd] | None) -> dict[str, CsvLog]:
    """Open the logs of a run, all before any is cut back.

    Args:
        path: of the folder.
        command: whose run it is.
        ends: where they ended at the checkpoint; None for a new run.

    Raises:
        UserError: one cannot be that of the checkpoint.
    """
    with ExitStack() as closing:
        logs = {}
        for name in logs_of(command):
            file = LOGS[name]
            logs[name] = CsvLog(path / file.name, file.format.header, None if ends is None else ends[name])
            closing.callback(logs[name].close)
        for log in logs.values():
            log.begin()
        closing.pop_all()
        return logs


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
