"""Kills commands at the calls that make something last, goes on with them, and compares them with runs left alone.

    python -m tests.helpers.crash [--kills N] [--planted] [COMMAND...]

The calls are counted: opening to write, writing, flushing, cutting, `fsync`, renaming, removing, making a folder. Each
kill is a SIGKILL just before one of them, in a process of its own that is forked from this one, which has all compiled
and loaded. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from cageflow.analysis.beside import KINDS, PLAIN, find_answer
from cageflow.envs.options import GameOptions
from cageflow.files import checksum, write_whole
from cageflow.runs import run_folder, runs
from cageflow.runs.layout import CONFIG
from cageflow.runs.progress import Quiet
from cageflow.runs.saved_run import read_run
from cageflow.runs.summary import RunSummary
from cageflow.search import Budget, TrialRequest
from cageflow.settings import commands
from cageflow.settings.commands import LandscapeConfig
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import make_config
from cageflow.studies import baselines, champion, duel, early, exploit, hardening, starts, trainings
from cageflow.studies.beside import train_kind
from cageflow.studies.early import EarlyTrainings
from cageflow.studies.final import train_final
from cageflow.training import learners
from tests.helpers.figures import figures
from tests.helpers.orders import order_id
from tests.helpers.searches import SMALL_RUN as SMALL
from tests.helpers.searches import SMALL_SEARCH as HERE
from tests.helpers.searches import Alternating, OneByOne

SEARCH = make_config({**HERE, "total_episodes": 44, "final_episodes": 8})
POOL = make_config(  # not in rungs, since learners are to be gone on with, trial after trial
    {
        **{**HERE, "executor": "process", "total_episodes": 36, "parallel_workflows": 2},
        **{"strategy": "gp-ucb", "workflow_mode": "rewarded"},
    }
)
BESIDE = SEARCH.model_copy(update={"executor": "process", "parallel_workflows": 2})
RUNGS = make_config({**SMALL, "total_episodes": 36, "strategy": "asha", "rungs": "4,8,12"})
TRAIN = make_config({**SMALL, "command": "train", "workflow": "user,defender,enterprise,op_server,op_host"})
SHORT = TRAIN.model_copy(update={"total_episodes": 16})
RED = make_config({**SMALL, "command": "train", "side": "red", "blue_agent": "react", "total_episodes": 16})
UNIVERSAL = make_config({**SMALL, "command": "universal", "total_episodes": 16})
LANDSCAPE = make_config({**HERE, "command": "landscape", "repetitions": 1})
CHAMPION = champion.ChampionSettings(config=SHORT, seeds=(3, 4), evaluation_episodes=2)
HARDENED = champion.ChampionSettings(
    config=make_config({**SMALL, "command": "train", "preset": "champion", "red_agent": "mixed", "total_episodes": 64}),
    seeds=(3,),
    evaluation_episodes=2,
    starts=2,
    rounds=1,
    restore_gates=True,
)
BASELINE = baselines.BaselineSettings(
    name="ppo", total_episodes=8, seeds=(3, 4), evaluation_episodes=2, game=GameOptions(max_steps=4)
)
TINY = {name: value for name, value in SMALL.items() if name in ("episodes_per_update", "ppo")} | {"total_episodes": 8}
EXPLOIT = exploit.ExploitSettings(
    policy="react",
    config=RED.model_copy(update=TINY),
    seeds=(3, 4),
    evaluation_episodes=2,
)
DUEL = duel.make_settings("react", {"max_steps": 4}, TINY, TINY, {"rounds": 1, "seed": 2, "evaluation_episodes": 2})


@dataclass(frozen=True)
class Command:
    """A command to be killed.

    Attributes:
        begin: in a folder.
        go_on: with what is there.
        mark: the file without which it has not begun.
        is_alone: whether one process does all of it, so that it makes the same calls each time.
    """

    begin: Callable[[Path], object]
    go_on: Callable[[Path], object]
    mark: str = CONFIG
    is_alone: bool = True


def run_of(config: RunConfig, executor: Executor | None = None) -> Command:
    return Command(
        lambda path: runs.start(config, path, Quiet(), executor),
        lambda path: runs.resume(path, config.command, Quiet(), None, executor),
    )


def search_of(config: RunConfig, executor: Executor | None = None) -> Command:
    """A search with its final training, plain PPO beside it and its answer, as the command line has it."""

    def begin(path: Path) -> RunSummary:
        with EarlyTrainings(config, (PLAIN,)) as plain:
            return runs.start(config, path, Quiet(), executor, on_open=plain.begin)

    def answered(part: Callable[[Path], RunSummary], path: Path) -> None:
        train_final(part(path), Quiet)
        for kind in KINDS:
            train_kind(path, kind, Quiet)
        find_answer(read_run(path))

    return Command(
        partial(answered, begin),
        partial(answered, lambda path: runs.resume(path, config.command, Quiet(), None, executor)),
        is_alone=executor is None,
    )


def champion_of(settings: champion.ChampionSettings) -> Command:
    return Command(
        lambda path: champion.train_champion(settings, path, 1, silent),
        lambda path: champion.go_on(path, 1, silent),
        champion.SETTINGS,
    )


def silent(words: str) -> None:
    """Nobody listens."""


COMMANDS = {
    "search": search_of(SEARCH),
    "pool": run_of(POOL, OneByOne()),
    "beside": search_of(BESIDE, OneByOne()),
    "rungs": run_of(RUNGS, OneByOne()),
    "train": run_of(SHORT),
    "red": run_of(RED),
    "universal": run_of(UNIVERSAL),
    "landscape": run_of(LANDSCAPE),
    "champion": champion_of(CHAMPION),
    "hardened": champion_of(HARDENED),
    "baseline": Command(
        lambda path: baselines.measure(BASELINE, path, silent),
        lambda path: baselines.go_on(path, "ppo", silent),
        baselines.CONFIG,
    ),
    "exploit": Command(
        lambda path: exploit.exploit(EXPLOIT, path, 1, silent),
        lambda path: exploit.go_on(path, 1, silent),
        exploit.SETTINGS,
    ),
    "duel": Command(
        lambda path: duel.duel(DUEL, path, 1, silent),
        lambda path: duel.go_on(path, 1, silent),
        duel.SETTINGS,
    ),
}


def shrink() -> None:
    """Make small what no setting makes small, and have all in this process."""
    commands.make_strategy = Alternating  # type: ignore[assignment]

    def few_orders(config: LandscapeConfig) -> Budget:
        return Budget(trials=4, episodes_per_trial=config.max_episodes_per_workflow)

    def train_here(study: Any, some: Any, num_workers: int, name: Any = None) -> None:
        for training in some:
            training.carry_through()

    os.fsync = lambda file: None  # type: ignore[assignment]
    run_folder.CHECKPOINT_EVERY_S = 0.0  # or how many calls there are is chance
    LandscapeConfig.budget = few_orders  # type: ignore[method-assign]
    for module in (starts, hardening, exploit, duel):
        assert module.train_all is trainings.train_all, f"{module.__name__} trains otherwise"
        module.train_all = train_here
    hardening.EPISODES = 2
    early.can_fork = lambda: True  # which a program that is no command of ours cannot be sure of


def plant_fault() -> None:
    """Let a trial overwrite the learner that it began with before the checkpoint knows of it."""

    def keep(self: Any, request: TrialRequest, content: bytes) -> None:
        number = order_id(request.order)
        name = f"learner_{number:03d}.{request.training}.state"
        write_whole(self._folder / name, content)
        self._trainings[number, request.training] = (name, checksum(content))
        self._starts.pop(request.trial, None)

    def read(self: Any, file: Any) -> bytes:
        return bytes((self._folder / file[0]).read_bytes())

    learners.Learners.keep = keep  # type: ignore[method-assign]
    learners.Learners._read = read  # type: ignore[method-assign]


class Killer:
    """Counts the calls that make something last below a folder, and kills this process before one of them.

    Args:
        folder: files elsewhere do not count.
        number: of the call, from 1; 0 lets the process live.
    """

    AUDITED = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
    CALLED = ("write", "flush", "truncate")

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = str(folder)
        self._number = number
        self.count = 0
        sys.addaudithook(self._audit)
        sys.setprofile(self._profile)
        os.fsync = self._fsync  # type: ignore[assignment]

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            is_written = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        else:
            is_written = event in self.AUDITED
        if is_written and not isinstance(arguments[0], int) and os.fsdecode(arguments[0]).startswith(self._folder):
            self._note()

    def _profile(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in self.CALLED:
            if isinstance(function.__self__, io.BufferedWriter | io.BufferedRandom):
                self._note()

    def _fsync(self, file: int) -> None:
        """Count it and leave it out: what a killed process has handed over is safe, and a disk takes its time."""
        self._note()

    def _note(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # TensorBoard's, which comes when it comes
        self.count += 1
        if self.count == self._number:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(function: Callable[[], str]) -> tuple[int, str]:
    """Call a function in a process of its own: its exit status, negative for a signal, and what it returns."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            with open(write, "w") as answer:
                answer.write(function())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with open(read) as answer:
        words = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words


def crash(name: str, kills: int | None) -> dict[str, Any]:
    """Kill a command again and again.

    Args:
        name: in `COMMANDS`.
        kills: how many, evenly spread; None kills at every call.
    """
    command = COMMANDS[name]
    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole", Path(folder) / "again"  # as long, since policies name others by paths

        def left_alone() -> str:
            killer = Killer(Path(folder), 0)
            command.begin(whole)
            sys.setprofile(None)
            return str(killer.count)

        def killed(number: int) -> str:
            Killer(Path(folder), number)
            command.begin(path)
            return "survived"

        def again() -> str:
            (command.go_on if (path / command.mark).exists() else command.begin)(path)
            found, wanted = figures(path), figures(whole)
            return " ".join(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))

        status, words = forked(left_alone)
        assert status == 0, name
        points = int(words)
        step = 1 if kills is None else max(1, points // kills)
        numbers = range(1 + step // 2 if step > 1 else 1, points + 1, step)
        different = []
        for number in numbers:
            status, _ = forked(lambda number=number: killed(number))  # type: ignore[misc]
            assert status == -signal.SIGKILL or not command.is_alone, f"{name} was not killed at call {number}"
            status, words = forked(again)
            if status != 0 or words:
                different.append(f"call {number}: {words or 'it did not go on'}")
            shutil.rmtree(path, ignore_errors=True)
    return {"calls": points, "kills": len(numbers), "different": different}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*", default=list(COMMANDS))
    parser.add_argument("--kills", type=int)
    parser.add_argument("--planted", action="store_true")
    arguments = parser.parse_args()
    shrink()
    if arguments.planted:
        plant_fault()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.commands:  # what is compiled and loaded here is so in every process that is forked
            COMMANDS[name].begin(Path(folder) / name)
    for name in arguments.commands:
        started = time.monotonic()
        found[name] = crash(name, arguments.kills)
        print(
            f"{name}: {found[name]['kills']} of {found[name]['calls']} calls, {len(found[name]['different'])} differ, "
            f"{time.monotonic() - started:.0f} s",
            *found[name]["different"][:20],
            sep="\n  ",
            file=sys.stderr,
            flush=True,
        )
    print(json.dumps(found))
    return int(any(one["different"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
