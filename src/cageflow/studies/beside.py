"""Plain PPO beside a search or a landscape: the same learner on the same game, held to no order.

Each training has the whole budget of an order and is a run of `cageflow train` in the run's own folder,
`plain_ppo/seedN`. It begins when the run itself has ended, so it takes nothing of its budget, and goes on with it by
`--resume`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from cageflow.analysis.answer import PlainPPO
from cageflow.analysis.plain_runs import plain_path, write_plain
from cageflow.runs import runs
from cageflow.runs.interrupt import StopRequest, catching_signals
from cageflow.runs.layout import CONFIG, on_own_network
from cageflow.runs.progress import Reporter
from cageflow.runs.run_folder import read_settings
from cageflow.runs.summary import RunSummary
from cageflow.settings.commands import TrainConfig, TrialsConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.training import ORPHAN_S

OF_THE_RUN = ("command", "workflow", "start_from", "cyborg_path")
"""Settings that a training of plain PPO has not from the run beside which it stands."""


def train_plain(path: Path, make_reporter: Callable[[], Reporter], cyborg_path: str | None = None) -> PlainPPO | None:
    """Train plain PPO beside a run that has ended, as often as its settings say, or go on with that.

    Args:
        path: folder of the run.
        make_reporter: makes who is told, for each training.
        cyborg_path: folder of CybORG, where the run played there.

    Returns:
        What they came to, which is kept in the folder; None where there are to be none.

    Raises:
        UserError: something in the folder is not as it was written.
        RunStoppedError: a signal asked for the end.
        RunFailedError: learning broke down, or the disk is full.
    """
    config = on_own_network(read_settings(path), path)
    if not isinstance(config, TrialsConfig) or not config.plain_trainings:
        return None
    advice = f"go on with `cageflow {config.command} --resume {shlex.quote(str(path))}`"
    with catching_signals(advice, lambda words: make_reporter().stopping(words)) as stop:
        summaries = [
            _train(plain_path(path, number), plain_config(config, number, cyborg_path), make_reporter(), stop)
            for number in range(1, config.plain_trainings + 1)
        ]
    plain = PlainPPO(
        rewards=tuple(one.reward for one in summaries),
        rewards_se=tuple(one.reward_se for one in summaries),
        episodes=summaries[0].episodes,  # as when they began, should the run have more by now
    )
    write_plain(path, plain)
    return plain


def plain_config(config: TrialsConfig, number: int, cyborg_path: str | None = None) -> TrainConfig:
    """The training of plain PPO beside a run, `number` from 1: that of the run's seed, the next one, and so on."""
    own = {
        name: value
        for name, value in config.to_json().items()
        if name in TrainConfig.model_fields and name not in OF_THE_RUN
    }
    seed = (config.seed + number - 1) % 2**63
    changed = {"total_episodes": config.plain_episodes, "seed": seed, "cyborg_path": cyborg_path}
    return make_config_of(TrainConfig, {**own, **changed})


def _train(path: Path, config: TrainConfig, reporter: Reporter, stop: StopRequest) -> RunSummary:
    if (path / CONFIG).exists():
        return runs.resume(path, "train", reporter, {"cyborg_path": config.cyborg_path}, wait_s=ORPHAN_S, stop=stop)
    return runs.start(config, path, reporter, stop=stop)
