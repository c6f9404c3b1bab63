"""Making the folder of a new run."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import requires, version
from pathlib import Path

from cageflow.errors import UserError
from cageflow.files import checksum, read_whole, sync_folder, write_whole
from cageflow.numerics.processor import compiled_for, processor_name
from cageflow.runs.checkpoint import write_checkpoint
from cageflow.runs.folder_lock import LOCK, lock_folder
from cageflow.runs.layout import CHECKPOINT, CONFIG, NETWORK, POLICIES, START, kept_red
from cageflow.runs.run_folder import RunFolder
from cageflow.runs.run_logs import RunLogs
from cageflow.runs.unfinished import check_new, clear_unfinished
from cageflow.scenario.named import network_file
from cageflow.scenario.red_agents import file_of_red, short_red_name
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import ABOUT, FILES, MADE_FOR
from cageflow.settings.settings_file import dump_settings
from cageflow.sim.threads import available_cores


def make_folder(
    path: Path, config: RunConfig, start: bytes | None = None, say: Callable[[str], None] = lambda words: None
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
            clear_unfinished(path)
            sync_folder(path.parent)
            (path / POLICIES).mkdir()
            for name, copy in files.items():
                write_whole(path / name, copy)
            network = config.game().network
            logs = RunLogs(path, config.logs, network.orders)
            closing.callback(logs.close)
            write_checkpoint(path, {"run_episodes": 0}, logs.sync())
            sums = {name: checksum(copy) for name, copy in {**files, **_files_named(config)}.items()}
            made_for = network.identity.to_json()
            content = {**config.to_json(), MADE_FOR: made_for, ABOUT: _about(), FILES: sums}
            write_whole(path / CONFIG, dump_settings(content))
        except OSError as error:
            if is_ours:
                shutil.rmtree(path, ignore_errors=True)
            raise UserError(f"{path} cannot be made a run folder: {error.strerror}") from error
        closing.pop_all()
        return RunFolder(path, lock, logs, network.orders)


def default_run_dir(config: RunConfig, root: Path = Path("runs")) -> Path:
    """A folder name that no run has yet: command, red agent, time and seed."""
    what = "red" if config.plays_red else short_red_name(config.game().red_agent)
    return unused_folder(f"{config.command}-{what}", f"-seed{config.seed}", root)


def unused_folder(what: str, more: str = "", root: Path = Path("runs")) -> Path:
    """A folder that there is not yet, named after what it is for and the time, with `more` behind."""
    stem = f"{what}-{time.strftime('%Y%m%d-%H%M%S')}{more}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return next(root / name for name in names if not (root / name).exists())


def _kept_files(config: RunConfig, start: bytes | None) -> dict[str, bytes]:
    """What a run goes on with beside its settings, by the place in its folder."""
    files = {}
    if config.scenario is not None:
        files[NETWORK] = network_file(config.scenario)
    red = file_of_red(config.game().red_agent)
    if red is not None:
        try:
            files[kept_red(red)] = Path(red).read_bytes()
        except OSError as error:
            raise UserError(
                f"the run folder is to keep the red agent's file, and {red} cannot be read: {error.strerror}; write "
                "the class to a file."
            ) from error
    if start is not None:
        files[f"{CHECKPOINT}/{START}"] = start
    return files


def _files_named(config: RunConfig) -> dict[str, bytes]:
    """What stays where it is, and must be as it was when the run goes on: the policy of the blue agent, by its path."""
    if not config.plays_red or not Path(config.opponent).is_file():
        return {}
    path = Path(config.opponent).absolute()
    return {str(path): read_whole(path)}


def _about() -> dict[str, str]:
    """Versions of this package and of all that it needs; machine, and what its arithmetic was compiled for."""
    needed = [re.split(r"[^\w-]", line)[0] for line in requires("cageflow") or [] if "extra ==" not in line]
    libraries = {name: version(name) for name in ("cageflow", *needed)}
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}"
    return {
        **libraries,
        "python": platform.python_version(),
        "machine": machine,
        "processor": processor_name(),
        "cores": f"{available_cores()} of {os.cpu_count()}",
        **compiled_for(),
        "started": time.strftime("%FT%T%z"),
    }
