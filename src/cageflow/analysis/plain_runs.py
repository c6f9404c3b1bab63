"""What plain PPO beside a run came to, and where that stands in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from cageflow.analysis.answer import Answer, PlainPPO, saved_answer
from cageflow.files import write_whole
from cageflow.runs.layout import CONFIG, POLICIES
from cageflow.runs.saved_run import SavedRun

FOLDER, TABLE = "plain_ppo", "plain_ppo.json"


def plain_path(path: Path, number: int) -> Path:
    """The folder of a training of plain PPO beside the run in a folder, by its number from 1."""
    return path / FOLDER / f"seed{number}"


def finished_plain(path: Path) -> tuple[Path, ...]:
    """The folders of those that have left their policy, by their numbers."""
    folders = (plain_path(path, number) for number in range(1, 1 + len(list((path / FOLDER).glob("seed*")))))
    return tuple(
        one for one in folders if (one / CONFIG).is_file() and (one / POLICIES / "policy.safetensors").is_file()
    )


def write_plain(path: Path, plain: PlainPPO) -> None:
    """Keep what they came to; raises `OSError` where it cannot be written."""
    write_whole(path / FOLDER / TABLE, (json.dumps(asdict(plain)) + "\n").encode())


def read_plain(path: Path) -> PlainPPO | None:
    """What `write_plain` wrote in the folder of a run; None where there is nothing that can be read."""
    return _read(path / FOLDER / TABLE)


def find_answer(run: SavedRun) -> Answer:
    """The answer of a search as it stands, with plain PPO beside; raises `OSError` where it cannot be kept."""
    return saved_answer(run, read_plain(run.path))


def plain_of_landscape(table: Path) -> PlainPPO | None:
    """What plain PPO came to beside the table of a landscape: in the folder of its run, or in `NAME_plain.json`."""
    return _read(table.with_name(f"{table.stem}_plain.json")) or read_plain(table.parent)


def _read(file: Path) -> PlainPPO | None:
    try:
        content = json.loads(file.read_bytes())
        return PlainPPO(
            rewards=tuple(map(float, content["rewards"])),
            rewards_se=tuple(map(float, content["rewards_se"])),
            episodes=int(content["episodes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
