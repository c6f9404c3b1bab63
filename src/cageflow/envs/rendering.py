"""A game as plain text: blue's table beside the truth. And which form a render mode asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cageflow.envs.inspection import LastStep
from cageflow.scenario import Network
from cageflow.scenario.names import OTHER_ACTIONS
from cageflow.sim.enums import Activity, Compromise

HEADINGS = ("host", "activity", "compromised", "access", "sessions", "decoys", "")  # the first three are blue's
NUM_BLUE_COLUMNS = 3
GAP = "  "


@dataclass(frozen=True)
class Scene:
    """What is shown of a game after a step.

    Attributes:
        network: the network that is played.
        observation: (F,) what blue sees.
        truth: by host, see `cageflow.envs.inspection.describe_hosts`.
        last: the last step.
        max_steps: of an episode.
        episode_return: so far.
    """

    network: Network
    observation: npt.NDArray[Any]
    truth: dict[str, dict[str, Any]]
    last: LastStep
    max_steps: int
    episode_return: float


def table_rows(
    network: Network, observation: npt.NDArray[Any], truth: dict[str, dict[str, Any]]
) -> list[tuple[str, ...]]:
    """One row of words for each host, under `HEADINGS`.

    Args:
        network: the network that is played.
        observation: (F,) what blue sees.
        truth: by host, see `cageflow.envs.inspection.describe_hosts`.
    """
    bits = np.asarray(observation).astype(int).reshape(-1, 4)
    rows: list[tuple[str, ...]] = []
    for (host, facts), (activity_low, activity_high, low, high) in zip(truth.items(), bits.tolist(), strict=True):
        activity = Activity(activity_low + 2 * activity_high)
        compromise = Compromise(low + 2 * high)
        notes = ["malware"] if facts["malware"] else []
        if facts["service_running"] is not None:
            service = network.scenario.hosts[host].service or "service"
            notes.append(f"{service} {'runs' if facts['service_running'] else 'STOPPED'}")
        rows.append(
            (
                host,
                _dash(activity.name.lower(), "none"),
                _dash(compromise.name.lower(), "no"),
                _dash(facts["access"], "none"),
                describe_sessions(facts["user_sessions"], facts["privileged_sessions"]),
                " ".join(facts["decoys"]),
                ", ".join(notes),
            )
        )
    return rows


def describe_sessions(num_user: int, num_privileged: int) -> str:
    """Red's sessions in short, such as "2 user, 1 privileged"; nothing for none."""
    parts = [(num_user, "user"), (num_privileged, "privileged")]
    return ", ".join(f"{number} {level}" for number, level in parts if number)


def describe_success(success: bool | None) -> str:
    """A word for an outcome, in brackets and after a space; nothing where it is unknown."""
    return {None: "", True: " (ok)", False: " (failed)"}[success]


class BlueTurn(NamedTuple):
    """What became of blue's actions in a step.

    Attributes:
        in_vain: whether what blue chose was not begun, since all crews were busy.
        at_once: whether it took effect in the same step.
        ended: what took effect, in the order in which it did.
    """

    in_vain: bool
    at_once: bool
    ended: tuple[str, ...]


def blue_turn(network: Network, last: LastStep, before: LastStep | None) -> BlueTurn:
    """What of blue's was begun and what ended in a step.

    Args:
        network: the network that is played.
        last: the step.
        before: the step before it, without which it is not known what had been under way.
    """
    action = last.blue_action
    was = () if before is None or last.number == 1 else before.under_way
    needs_crew = action not in ("none", *OTHER_ACTIONS)
    in_vain = needs_crew and len(was) == network.scenario.crews
    at_once = needs_crew and not in_vain and bool(network.tables.action_steps[network.codec.encode(action)] == 1)
    ended = [name for name, left in was if left == 1]
    return BlueTurn(in_vain, at_once, tuple([*ended, action] if at_once else ended))


def blue_words(network: Network, last: LastStep, before: LastStep | None = None) -> str:
    """What blue did in a step, what of it ended and how, and what is under way.

    Args:
        network: the network that is played.
        last: the step.
        before: the step before it, which tells what ended and what was in vain; None where it is not known.
    """
    action = last.blue_action
    if not network.blue_takes_time:
        return f"{action}{describe_success(last.blue_success)}"
    in_vain, at_once, ended = blue_turn(network, last, before)
    parts = [f"{action} (in vain, all crews are busy)" if in_vain else action]
    if ended and not (at_once and len(ended) == 1):
        parts.append(f"done: {', '.join(ended)}")
    if len(ended) == 1:
        parts[-1] += describe_success(last.blue_success)
    if last.under_way:
        left = ", ".join(f"{name}, {steps} step{'s' if steps > 1 else ''} left" for name, steps in last.under_way)
        parts.append(f"under way: {left}")
    return "; ".join(parts)


def step_lines(network: Network, last: LastStep, max_steps: int, episode_return: float) -> list[str]:
    """Who did what in the last step, and what it cost."""
    lines = [
        f"step {last.number} of {max_steps}   reward {last.reward:.1f}   return {episode_return:.1f}",
        f"blue   {blue_words(network, last)}",
    ]
    if last.green_action not in ("Sleep", "none"):
        lines.append(f"green  {last.green_action}")
    return [*lines, f"red    {last.red_action}{describe_success(last.red_success)}"]


def render_text(scene: Scene) -> str:
    """The whole scene as aligned ASCII lines: the last step, then a row for each host."""
    rows: list[tuple[str, ...]] = [HEADINGS, *table_rows(scene.network, scene.observation, scene.truth)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    blue_width = sum(widths[:NUM_BLUE_COLUMNS]) + len(GAP) * (NUM_BLUE_COLUMNS - 1)
    banner = f"{'':{widths[0]}}{GAP}{'blue sees':{blue_width - widths[0] - len(GAP)}}{GAP}| the truth"
    lines = [*step_lines(scene.network, scene.last, scene.max_steps, scene.episode_return), "", banner]
    lines += [_line(row, widths) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def render(mode: str | None, scene: Scene) -> Any:
    """What `render` of an environment gives.

    Args:
        mode: its render mode.
        scene: what is shown.

    Returns:
        Text where the mode is "ansi", (height, width, 3) uint8 where it is "rgb_array", otherwise None.
    """
    if mode == "ansi":
        return render_text(scene)
    if mode == "rgb_array":
        from cageflow.envs.picture import draw  # Pillow and the fonts: only for those who look at pictures

        return draw(scene)
    return None


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
    return GAP.join(cells[:NUM_BLUE_COLUMNS]) + GAP + "| " + GAP.join(cells[NUM_BLUE_COLUMNS:])


def _dash(word: str, nothing: str) -> str:
    return "-" if word == nothing else word
