"""The learner of another run that the trainings of a run begin with."""

from __future__ import annotations

from pathlib import Path

from cageflow.errors import UserError
from cageflow.learn.fit import check_card, notes_on
from cageflow.learn.policy import PolicyCard
from cageflow.learn.ppo import PPO
from cageflow.runs.layout import CHECKPOINT, CONFIG, STATE, checkpoint_file, with_kept_files
from cageflow.settings.config import RunConfig
from cageflow.settings.reading import read_config
from cageflow.training.state_file import dump_state, learner_in, load_learner
from cageflow.training.trainer import policy_card, sizes_of


def on_network_of_start(config: RunConfig) -> RunConfig:
    """The settings of a new run on the network of the run that it begins with, unless they name another one.

    The same holds for the steps that actions take there.
    """
    run = _run_of(config)
    if run is None or config.scenario is not None or config.simulator == "cyborg":
        return config
    of_start = _config_of(run)
    durations = config.durations if "durations" in config.model_fields_set else of_start.durations
    return config.model_copy(update={"scenario": of_start.scenario, "durations": durations})


def notes_on_start(config: RunConfig) -> tuple[str, ...]:
    """What a user has to know of what a run begins with, a sentence each.

    Raises:
        UserError: the run that is named cannot be read.
    """
    if config.start is None:
        return ()
    run = _run_of(config)
    if run is None and not Path(config.start).is_file():
        return ()  # refused where it is read
    if run is None:
        return (f"{config.start} does not say what it was made for: it is taken for a learner of this game",)
    return notes_on(_card_of(run), on_network_of_start(config).game().blue_setting, config.start)


def read_start(config: RunConfig) -> bytes | None:
    """What the trainings of a run begin with, as the content of a learner's file; None to begin from scratch.

    Raises:
        UserError: `start_from` is no finished or stopped run of `train` or `universal` and no learner's file, or the
            learner was made for another network or observation, or does not fit the settings.
    """
    if config.start is None:
        return None
    path = Path(config.start)
    file = checkpoint_file(path, STATE) if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"there is no learner {file} to start from")
    learner = learner_in(load_learner(file))
    if learner is None:
        raise UserError(f"{path} has no learner to start from: name a run of `cageflow universal` or `cageflow train`")
    run = _run_of(config)
    if run is not None:
        _check_side(_card_of(run), config, str(path))
    game, sizes = config.game(), sizes_of(config)
    try:
        PPO(
            config.learner(),
            num_observations=sizes.observations,
            num_actions=sizes.actions,
            order_encoding=game.network.orders.encode(game.network.unit_types) if config.tells_order else None,
            total_updates=1,
        ).start_from(learner)
    except ValueError as error:
        raise UserError(f"{path} cannot be started from: {error}") from error
    return dump_state({"ppo": learner})


def _check_side(card: PolicyCard, config: RunConfig, what: str) -> None:
    """Refuse a learner of the other side, and one of blue that was made for another game."""
    side = "red" if config.plays_red else "blue"
    if card.side != side:
        raise UserError(f"{what} has learned to play {card.side}, and {side} is to learn: start from a run of its own")
    if side == "blue":
        check_card(card, config.game().blue_setting, what)


def _run_of(config: RunConfig) -> Path | None:
    """The folder of the run that is begun with, also where a file in its checkpoint is named; None if it is unknown."""
    if config.start is None:
        return None
    path = Path(config.start)
    folder = path if path.is_dir() else path.absolute().parent.parent
    is_inside = path.is_dir() or path.absolute().parent.name == CHECKPOINT
    return folder if is_inside and (folder / CONFIG).is_file() else None


def _config_of(run: Path) -> RunConfig:
    return with_kept_files(read_config(run / CONFIG), run)


def _card_of(run: Path) -> PolicyCard:
    """What a policy of the run would say of itself."""
    return policy_card(_config_of(run), None, 0)
