"""An episode to watch in the terminal, step by step: who did what, the network, the reward."""

from __future__ import annotations

import contextlib
import difflib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cageflow import terminal
from cageflow.agents.player import AgentPlayer
from cageflow.envs.agent import BlueAgent
from cageflow.envs.inspection import LastStep
from cageflow.envs.options import GameOptions
from cageflow.envs.rendering import (
    HEADINGS,
    NUM_BLUE_COLUMNS,
    Scene,
    blue_words,
    describe_success,
    render_text,
    table_rows,
)
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError
from cageflow.scenario import Network
from cageflow.scenario.durations import takes_time, words_on_time

BluePolicy = Callable[[npt.NDArray[np.float32]], int]
"""What chooses blue's action from an observation (F,) float32."""

HELPS, QUITS = ("help", "h", "?"), ("quit", "exit", "q")
"""What a person may answer beside an action."""
LOG_LINES = 8
WIDE = 110  # columns of a terminal that has room for everything
STYLES = {"exploit": "bold red", "scan": "yellow", "user": "yellow", "privileged": "bold red", "unknown": "magenta"}


class WatchedEpisode(NamedTuple):
    """What an episode amounted to.

    Attributes:
        num_steps: that were played.
        env_return: sum of the rewards.
        is_whole: whether it was played to its end.
        actions: blue's, by number.
    """

    num_steps: int
    env_return: float
    is_whole: bool
    actions: tuple[int, ...]


def play_episode(
    options: GameOptions,
    policy: BluePolicy | BlueAgent,
    *,
    seed: int | None = None,
    delay: float = 0.5,
    out: Console | None = None,
    blue: str = "blue",
) -> WatchedEpisode:
    """Play one episode and show it: a picture that changes in a terminal, a line for each step elsewhere.

    A human player is shown what blue sees, and the truth only at the end. Ctrl-C, or the end of a human's input, ends
    it quietly.

    Args:
        options: the game.
        policy: plays blue.
        seed: of the game, and of an agent's draws; None is chance.
        delay: seconds between steps, in a terminal; none after a human's moves.
        out: where to show it; None is standard output.
        blue: the policy's name.

    Raises:
        UserError: a number is not possible, or the policy gives an action that is none.
    """
    if not delay >= 0.0:
        raise UserError(f"delay is {delay}; expected seconds from 0.")
    env = Cage2Env(**options.as_kwargs())
    console = terminal.make_console() if out is None else out
    title = f"{options.red_agent} against {blue}, rules {options.rules}, {options.observation} observation"
    title += f", {words_on_time(env.network.scenario)}" if takes_time(env.network.scenario) else ""
    title += "" if seed is None else f", seed {seed}"
    observation, _ = env.reset(seed=seed)
    is_asking = isinstance(policy, HumanPolicy)
    choose = policy if callable(policy) else AgentPlayer(policy, env, seed)
    rewards: list[float] = []
    actions: list[int] = []
    with contextlib.suppress(KeyboardInterrupt, EOFError), _screen(env, console, title, is_asking) as show:
        show(observation, 0.0)
        while len(rewards) < options.max_steps:
            action = choose(observation)
            observation, reward, _, _, _ = env.step(action)
            actions.append(int(action))
            rewards.append(reward)
            show(observation, round(sum(rewards), 1))
            if console.is_terminal and not is_asking:
                time.sleep(delay)
    is_whole = len(rewards) == options.max_steps
    played = WatchedEpisode(len(rewards), round(sum(rewards), 1), is_whole, tuple(actions))
    if rewards and (is_asking or not console.is_terminal):
        console.print(_picture(env, observation, played.env_return), markup=False, highlight=False, soft_wrap=True)
    console.print(f"return {played.env_return:.1f} in {played.num_steps} steps", highlight=False)
    return played


class HumanPolicy:
    """Asks the person at the terminal; a name, its beginning or a number is an answer, nothing at all is Sleep.

    `help` and `?` list what can be done, `? restore` a part of it; `quit`, Ctrl-D and Ctrl-C end the episode.

    Args:
        network: the network that is played.
        out: where to ask.
    """

    def __init__(self, network: Network, out: Console) -> None:
        self._codec = network.codec
        self._out = out

    def __call__(self, observation: npt.NDArray[np.float32]) -> int:
        """The person's action.

        Raises:
            EOFError: the person ends the episode, or the input has ended.
        """
        while True:
            try:
                answer = self._out.input("blue's action (help for a list, quit to end): ").strip()
            except (EOFError, KeyboardInterrupt):
                self._out.print()  # leaves the line of the question
                raise
            if answer.lower() in QUITS:
                raise EOFError
            action = self._understand(answer)
            if action is not None:
                return action

    def _understand(self, answer: str) -> int | None:
        """The action that an answer means; None after saying why it means none."""
        names = self._codec.names
        if not answer:
            return 0
        if answer.isdecimal() and int(answer) < len(names):
            return int(answer)
        wanted = " ".join(answer.lower().split())
        if wanted in HELPS:
            self._out.print(
                "  A name, its beginning or a number; nothing is Sleep; ? restore lists a part.", highlight=False
            )
            wanted = "?"
        fitting = [i for i, name in enumerate(names) if name.lower().startswith(wanted.removeprefix("?").strip())]
        exact = [i for i in fitting if names[i].lower() == wanted]
        if len(exact or fitting) == 1 and not wanted.startswith("?"):
            return (exact or fitting)[0]
        if fitting:
            for verb, numbers in _by_verb(names, fitting).items():
                self._out.print(f"  {verb}: {numbers}", highlight=False, markup=False)
        else:
            self._out.print(f"  {self._misunderstood(wanted, answer)}", highlight=False, markup=False)
        return None

    def _misunderstood(self, wanted: str, answer: str) -> str:
        """What to say of an answer that is no action."""
        names = self._codec.names
        if wanted.lstrip("-").isdecimal():
            return f"{answer!r} is no action's number: they go from 0 to {len(names) - 1}."
        by_lower = {name.lower(): name for name in names}
        near = [by_lower[name] for name in difflib.get_close_matches(wanted.removeprefix("?").strip(), by_lower, n=3)]
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        return f"{answer!r} is no action; {meant}help gives a list."


def _by_verb(names: tuple[str, ...], actions: list[int]) -> dict[str, str]:
    """Actions by what they do: "Remove" to "15 Defender, 16 Enterprise0" and so on."""
    lines: dict[str, list[str]] = {}
    for action in actions:
        verb, _, host = names[action].partition(" ")
        lines.setdefault(verb, []).append(f"{action} {host}".strip())
    return {verb: ", ".join(parts) for verb, parts in lines.items()}


Show = Callable[[npt.NDArray[np.float32], float], None]
"""Shows a step: called with the observation and the return so far."""


@contextlib.contextmanager
def _screen(env: Cage2Env, console: Console, title: str, is_asking: bool) -> Iterator[Show]:
    """Where the steps are shown; a human player sees only what blue sees."""
    if not console.is_terminal and not is_asking:
        console.print(title, highlight=False, markup=False, soft_wrap=True)
        before = env.last_step()

        def print_step(observation: npt.NDArray[np.float32], env_return: float) -> None:
            nonlocal before
            _print_line(env, console, before)
            before = env.last_step()

        yield print_step
        return
    log: list[Text] = []
    earlier = env.last_step()
    wide = console.width >= WIDE
    columns = [i for i, name in enumerate(HEADINGS) if i < NUM_BLUE_COLUMNS or not is_asking]
    columns = [i for i in columns if wide or HEADINGS[i] != "sessions"]
    room = max(1, min(LOG_LINES, console.height - len(env.network.hosts) - 6))

    def view(observation: npt.NDArray[np.float32], env_return: float) -> Group:
        nonlocal earlier
        last = env.last_step()
        if last.number:
            log.append(_log_line(env.network, last, earlier, is_asking))
        earlier = last
        return Group(
            Text(title, style="bold"),
            _table(env, observation, columns),
            *log[-room:],
            Text(f"step {last.number} of {env.options.max_steps}   return {env_return:.1f}", style="bold"),
        )

    if is_asking:
        yield lambda observation, env_return: console.print(view(observation, env_return))
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda observation, env_return: live.update(view(observation, env_return), refresh=True)


def _table(env: Cage2Env, observation: npt.NDArray[np.float32], columns: list[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in columns:
        table.add_column(HEADINGS[i], no_wrap=HEADINGS[i] not in ("decoys", ""))
    for row in table_rows(env.network, observation, env.true_state()):
        cells = [Text(cell, style=STYLES.get(cell, "red" if "STOPPED" in cell else "")) for cell in row]
        table.add_row(*(cells[i] for i in columns))
    return table


def _log_line(network: Network, last: LastStep, before: LastStep, is_asking: bool) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{last.number:4}  reward {last.reward:5.1f}", style="dim")
    line.append(f"   blue {blue_words(network, last, before)}", style="cyan")
    if not is_asking:
        if last.green_action.startswith("GreenPortScan"):
            line.append(f"   green {last.green_action}", style="green")
        line.append(f"   red {last.red_action}{describe_success(last.red_success)}", style="red")
    return line


def _print_line(env: Cage2Env, console: Console, before: LastStep) -> None:
    """One plain line: the step, and where red is after it; a star marks a privileged session."""
    last = env.last_step()
    if last.number == 0:
        return
    marks = {"none": "", "user": "{}", "privileged": "{}*"}
    held = [marks[facts["access"]].format(host) for host, facts in env.true_state().items()]
    log = _log_line(env.network, last, before, is_asking=False)
    line = f"{log.plain}   red holds {' '.join(one for one in held if one)}"
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _picture(env: Cage2Env, observation: npt.NDArray[np.float32], env_return: float) -> str:
    scene = Scene(env.network, observation, env.true_state(), env.last_step(), env.options.max_steps, env_return)
    return "\n" + render_text(scene)
