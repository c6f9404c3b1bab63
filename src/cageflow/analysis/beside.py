"""What was trained beside a run: what it came to, and where that stands in its folder or beside a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cageflow.analysis.answer import Answer, Beside, OneOrder, Trainings, saved_answer
from cageflow.files import write_whole
from cageflow.runs.layout import CONFIG, POLICIES
from cageflow.runs.saved_run import SavedRun
from cageflow.scenario.orders import format_order
from cageflow.scenario.worth import order_by_worth
from cageflow.search.landscape_about import beside

PLAIN, ONE_ORDER = "plain_ppo", "one_order"
"""Plain PPO with an order's budget, and one order throughout, with that of the search."""
PLAIN_LONG, BY_WORTH = "plain_ppo_long", "by_worth"
"""Plain PPO with a greater budget, which a search has with a final training, and a shipped landscape; and what this has
more, the order by worth where the sample of orders leaves it out."""
KINDS = (PLAIN, PLAIN_LONG, ONE_ORDER)
"""What a run can have, each in a folder of that name, with a file of that name."""


def training_path(path: Path, kind: str, number: int) -> Path:
    """The folder of a training beside the run in a folder, by its kind and its number from 1."""
    return path / kind / f"seed{number}"


def final_path(path: Path, after: int, episodes: int) -> Path:
    """The folder of the final training of a search in a folder: named by the episodes of the run that it is."""
    return path / "final" / f"{after}-{after + episodes}"


def finished_beside(path: Path) -> tuple[Path, ...]:
    """The folders of those that have left their policy, by kinds and their numbers."""
    return tuple(
        folder
        for kind in KINDS
        for folder in (training_path(path, kind, 1 + i) for i in range(len(list((path / kind).glob("seed*")))))
        if (folder / CONFIG).is_file() and any((folder / POLICIES).glob("*.safetensors"))
    )


def write_beside(path: Path, kind: str, trainings: Trainings) -> None:
    """Keep what they came to; raises `OSError` where it cannot be written."""
    write_whole(table_of(path, kind), (json.dumps(asdict(trainings)) + "\n").encode())


def read_beside(path: Path, kind: str) -> Trainings | None:
    """What `write_beside` wrote in the folder of a run; None where there is nothing that can be read."""
    try:
        return _trainings(json.loads(table_of(path, kind).read_bytes()))
    except (OSError, ValueError):
        return None


def table_of(path: Path, kind: str) -> Path:
    """The file in which the run in a folder keeps what trainings of a kind came to."""
    return path / kind / f"{kind}.json"


def one_order_beside(run: SavedRun) -> OneOrder | None:
    """The order by worth, trained throughout beside a search; None where it was not."""
    trainings = read_beside(run.path, ONE_ORDER)
    order = order_by_worth(run.config.game().network)
    return None if trainings is None else OneOrder(order=format_order(order), trainings=trainings)


def find_answer(run: SavedRun) -> Answer:
    """The answer of a search as it stands, with what is beside; raises `OSError` where it cannot be kept."""
    beside = Beside(
        plain=read_beside(run.path, PLAIN),
        plain_long=None if run.final is None else read_beside(run.path, PLAIN_LONG),
        one_order=one_order_beside(run),
    )
    return saved_answer(run, beside)


def beside_landscape(table: Path, kind: str) -> Trainings | None:
    """What trainings of a kind came to beside the table of a landscape: in its file, or in the folder of its run."""
    return _trainings(beside(table).get(kind)) or read_beside(table.parent, kind)


def _trainings(content: Mapping[str, Any] | Any) -> Trainings | None:
    try:
        return Trainings(
            rewards=tuple(map(float, content["rewards"])),
            rewards_se=tuple(map(float, content["rewards_se"])),
            episodes=int(content["episodes"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
