"""A study: many runs with one question, in a folder: what was asked for, signed; what is done; and a table."""

from __future__ import annotations

import hashlib
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.files import write_whole
from cageflow.runs.folder_lock import LOCK, FolderLock, lock_folder
from cageflow.runs.interrupt import StopRequest, catching_signals
from cageflow.runs.layout import NETWORK
from cageflow.runs.new_folder import unused_folder
from cageflow.runs.runs import telling_failures
from cageflow.runs.unfinished import check_new
from cageflow.scenario.named import network_file
from cageflow.scenario.red_agents import file_of_red
from cageflow.settings.reading import MADE_FOR
from cageflow.settings.settings_file import SUM, check_settings, dump_settings, read_object

NETWORK_TEXT = "network_file"
"""The entry of the settings that keeps the network's text, None for CAGE-2's own."""
RED_SUM = "red_agent_file"
"""The entry that keeps the SHA-256 of the red agent's file, where it has one."""
TABLE = "table"
SAY_EVERY_S = 10.0

Settings = TypeVar("Settings")
Say = Callable[[str], None]


def check_judging(seeds: tuple[int, ...], evaluation_episodes: int) -> None:
    """Raise `UserError` for seeds that nothing can be repeated with, and for episodes too few to judge by."""
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= seed < 2**32 for seed in seeds):
        raise UserError(f"seeds are {seeds}; expected different whole numbers from 0 to {2**32 - 1}")
    if evaluation_episodes < 2:
        raise UserError(f"evaluation_episodes is {evaluation_episodes}; a mean with its error needs at least 2")


@dataclass
class Study:
    """A study whose folder is open, and nobody else's.

    Attributes:
        run_dir: the folder.
        network: the file in it to be played on; None for CAGE-2's own.
        stop: whether a signal has asked for the end.
        lock: of the folder.
    """

    run_dir: Path
    network: str | None
    stop: StopRequest
    lock: FolderLock
    _say: Say
    _said_at: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raise `RunFailedError` where the folder is gone, and `RunStoppedError` where a signal asked for the end."""
        self.lock.check()
        self.stop.check()

    def say(self, words: str) -> None:
        """Tell how it gets on."""
        self._said_at = time.monotonic()
        self._say(words)

    @property
    def is_silent(self) -> bool:
        """Whether nothing has been said for SAY_EVERY_S."""
        return time.monotonic() - self._said_at >= SAY_EVERY_S

    def alone(self) -> AbstractContextManager[None]:
        """A context in which who is told has no threads, as far as it can do without."""
        alone: Callable[[], AbstractContextManager[None]] = getattr(self._say, "alone", nullcontext)
        return alone()

    def write_table(self, content: Mapping[str, Any], **texts: str) -> None:
        """Write the table as JSON and, by the endings of their files, as other texts."""
        for suffix, text in {**texts, "json": json.dumps(content, indent=2)}.items():
            write_whole(self.run_dir / f"{TABLE}.{suffix}", (text.rstrip("\n") + "\n").encode())


class Kind(NamedTuple):
    """A kind of study: the file with its settings, and what it makes, without and with an article."""

    file: str
    what: str
    a_what: str

    @contextmanager
    def new(
        self, run_dir: Path | None, command: str, stem: str, settings: Mapping[str, Any], game: GameOptions, say: Say
    ) -> Iterator[Study]:
        """Begin a study in a new folder.

        Args:
            run_dir: the folder; None is one in `runs/` with a new name that begins with `stem`.
            command: that the user has given, and goes on with by `--resume`.
            settings: what was asked for.
            game: that is played.
            say: is told how it gets on.

        Raises:
            UserError: the folder is not empty, or the network is wrong; nothing is written.
            RunStoppedError: a signal asked for the end; what is finished is kept.
            RunFailedError: something broke down.
        """
        run_dir = run_dir or unused_folder(stem)
        check_new(run_dir)
        made_for = game.network.identity.to_json()
        text = None if game.scenario is None else network_file(game.scenario).decode()
        red = _sum_of_red(game.red_agent)
        run_dir.mkdir(parents=True, exist_ok=True)
        kept = {MADE_FOR: made_for, NETWORK_TEXT: text} | ({} if red is None else {RED_SUM: red})
        write_whole(run_dir / self.file, dump_settings({**settings, **kept}))
        with _opened(run_dir, command, text, say) as study:
            yield study

    @contextmanager
    def resumed(self, run_dir: Path, command: str, say: Say) -> Iterator[Study]:
        """Go on with what was stopped, its settings being those that were written; raises as `read` and `new`."""
        content = check_settings(run_dir / self.file, self._content(run_dir))
        red = str(content.get("red_agent"))
        if RED_SUM in content and content[RED_SUM] != _sum_of_red(red):
            raise UserError(
                f"{file_of_red(red)} is not what it was when {run_dir} was begun: put the red agent's file back as it "
                "was, or begin anew."
            )
        with _opened(run_dir, command, content.get(NETWORK_TEXT), say) as study:
            yield study

    def read(
        self, run_dir: Path, parse: Callable[[dict[str, Any], Path], Settings], is_signed: bool = True
    ) -> Settings:
        """What the study in a folder was asked for.

        Args:
            run_dir: the folder.
            parse: makes settings of plain data that stand in a file, or raises UserError, KeyError or TypeError.
            is_signed: whether data that are not as they were written are refused.

        Raises:
            UserError: it holds none, or one that this version cannot read.
        """
        path, content = run_dir / self.file, self._content(run_dir)
        content = check_settings(path, content) if is_signed else content
        try:
            own = (SUM, MADE_FOR, NETWORK_TEXT, RED_SUM)
            return parse({name: value for name, value in content.items() if name not in own}, path)
        except (KeyError, TypeError) as error:
            raise UserError(f"{path} is no configuration of {self.a_what} ({error})") from error

    def _content(self, run_dir: Path) -> dict[str, Any]:
        try:
            return read_object(run_dir / self.file)
        except OSError as error:
            raise UserError(f"{run_dir} holds no {self.what}: {self.file} cannot be read ({error.strerror})") from error


def _sum_of_red(red_agent: str) -> str | None:
    """Of the file of a red agent; None where it has none, or it cannot be read."""
    file = file_of_red(red_agent)
    try:
        return None if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return None


@contextmanager
def _opened(run_dir: Path, command: str, network: str | None, say: Say) -> Iterator[Study]:
    advice = f"go on with `cageflow {command} --resume {shlex.quote(str(run_dir))}`"
    with (
        telling_failures(run_dir, advice),
        lock_folder(run_dir, run_dir / LOCK, say) as lock,
        catching_signals(advice, say) as stop,
    ):
        if network is not None:
            write_whole(run_dir / NETWORK, network.encode())
        yield Study(run_dir, None if network is None else str(run_dir / NETWORK), stop, lock, say)
