"""Members that differ in nothing but their seed are one group; its name says what sets it apart from the others."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cageflow.errors import UserError
from cageflow.listed import split_list
from cageflow.report.compare.members import WHAT, Game, Member, read_members

FIRST_IN_LABELS = (
    *(WHAT, "red_agent", "rules", "workflow_mode", "alignment_lambda", "preset", "strategy", "kernel", "gate", "init"),
)
"""Settings that name a group before others do."""


@dataclass(frozen=True)
class Group:
    """Members that are taken for repetitions of one another.

    Attributes:
        label: its name.
        members: one for each seed.
    """

    label: str
    members: tuple[Member, ...]

    @property
    def game(self) -> Game:
        """That all its members play."""
        return self.members[0].game


def read_groups(runs: Sequence[Path], named: Sequence[str] = ()) -> list[Group]:
    """Read runs and group them.

    Args:
        runs: folders, to be grouped by their settings.
        named: groups of the user's own, each as `NAME=RUN,RUN`; these stand first.

    Raises:
        UserError: a folder cannot be read, stands twice, or a group makes no sense.
    """
    parsed = [_parse_group(text) for text in named]
    folders = [path.resolve() for path in [*(path for _, paths in parsed for path in paths), *runs]]
    for i, path in enumerate(folders):
        if path in folders[:i]:
            raise UserError(f"{path.name} is given twice: a run counts once")
    own = [_named_group(name, paths) for name, paths in parsed]
    members = [member for path in runs for member in read_members(path)]
    by_settings: dict[str, list[Member]] = {}
    for member in members:
        key = json.dumps({**member.settings, "game": member.game}, sort_keys=True)
        by_settings.setdefault(key, []).append(member)
    found = list(by_settings.values())
    for alike in found:
        _refuse_same_seeds(alike)
    if not own and not found:
        raise UserError("no run is given: name run folders, or --group NAME=RUN,RUN")
    groups = [*own, *(Group(label, tuple(one)) for label, one in zip(make_labels(found), found, strict=True))]
    labels = [group.label for group in groups]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise UserError(f"two groups are called {label!r}: give other names by --group NAME=RUN,RUN")
    return groups


def make_labels(groups: Sequence[Sequence[Member]]) -> list[str]:
    """A name for each group: as few of the settings that differ as tell all apart, those of `FIRST_IN_LABELS` first.

    A single group is named by what was trained.
    """
    settings = [group[0].settings for group in groups]
    if len(settings) == 1:
        return [_label(settings[0], [WHAT])]
    chosen: list[str] = []
    num_told_apart = 1
    for name in sorted(differing(settings), key=_rank):
        labels = {_label(one, [*chosen, name]) for one in settings}
        if len(labels) > num_told_apart:
            chosen.append(name)
            num_told_apart = len(labels)
    return [_label(one, chosen) for one in settings]


def differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the settings that are not the same in all that have them, in the order of their first mention.

    A change to the preset, `ppo.NAME`, is one also where the others go without it.
    """
    names = dict.fromkeys(name for one in settings for name in one)

    def values(name: str) -> set[str]:
        return {json.dumps(one.get(name)) for one in settings if name in one or name.startswith("ppo.")}

    return [name for name in names if len(values(name)) > 1]


def setting_words(name: str, value: Any) -> str:
    """A setting as people say it."""
    if name == WHAT:
        return str(value)
    if name == "red_agent":
        return f"against {value}"
    words = name.removeprefix("ppo.").replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    return setting_value(name, value) if name == "network" else f"{words} {setting_value(name, value)}"


def setting_value(name: str, value: Any) -> str:
    """The value of a setting."""
    if name == "network":
        return str(value) or "CAGE-2's network"
    if value is None:
        return "default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _label(settings: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(setting_words(name, settings[name]) for name in names if name in settings)


def _rank(name: str) -> int:
    return FIRST_IN_LABELS.index(name) if name in FIRST_IN_LABELS else len(FIRST_IN_LABELS)


def _parse_group(text: str) -> tuple[str, list[Path]]:
    name, equals, runs = text.partition("=")
    name, parts = name.strip(), split_list(runs)
    if not equals or not name or not all(parts):
        raise UserError(
            f"--group is {text!r}: expected NAME=RUN,RUN, a name of a run with a comma in it in double quotes"
        )
    # The shell leaves patterns alone where they stand behind a name.
    return name, [Path(path) for part in parts for path in sorted(glob.glob(part)) or [part]]


def _named_group(name: str, paths: Sequence[Path]) -> Group:
    members: list[Member] = []
    for path in paths:
        found = read_members(path)
        kinds = {member.settings[WHAT] for member in found}
        if len(kinds) > 1:
            raise UserError(f"--group {name}: {path} holds {len(kinds)} baselines, which are no repetitions of one")
        members += found
    games = {member.game for member in members}
    if len(games) > 1:
        raise UserError(
            f"--group {name} mixes games, whose rewards have no common mean: {'; '.join(sorted(map(str, games)))}"
        )
    alike: dict[str, list[Member]] = {}
    for member in members:
        alike.setdefault(json.dumps(member.settings, sort_keys=True), []).append(member)
    for one in alike.values():
        _refuse_same_seeds(one)
    return Group(name, tuple(members))


def _refuse_same_seeds(members: Sequence[Member]) -> None:
    """Two runs of the same settings and the same seed are one, and would make the spread look smaller than it is."""
    by_seed: dict[int, Member] = {}
    for member in members:
        other = by_seed.setdefault(member.seed, member)
        if other is not member:
            raise UserError(
                f"{other.path} and {member.path} have the same settings and the same seed, {member.seed}: "
                "leave one of them out"
            )
