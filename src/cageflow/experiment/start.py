"""The learner of another run that the trainings of a run begin with."""

from __future__ import annotations

from pathlib import Path

from cageflow.errors import UserError
from cageflow.experiment.config import RunConfig
from cageflow.experiment.state_file import dump_state, load_state
from cageflow.learn.ppo import PPO
from cageflow.sim.recall import num_inputs
from cageflow.workflow.orders import ALL_ORDERS, encode_order


def read_start(config: RunConfig) -> bytes | None:
    """What the trainings of a run begin with, as the content of a learner's file; None to begin from scratch.

    Raises:
        UserError: `start_from` is no finished or stopped run of `train` or `universal` and no learner's file, or the
            learner does not fit the settings.
    """
    if config.start_from is None:
        return None
    path = Path(config.start_from)
    file = path / "checkpoint" / "state.pt" if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"there is no learner {file} to start from")
    state = load_state(file)
    learner = state.get("trainer", state).get("ppo")
    if learner is None:
        raise UserError(f"{path} has no learner to start from: name a run of `cageflow universal` or `cageflow train`")
    game = config.game()
    is_plain = config.command == "train" and config.workflow is None
    try:
        PPO(
            config.learner(),
            num_observations=num_inputs(game.network, memory=config.learner().memory),
            num_actions=len(game.network.codec),
            order_encoding=None if is_plain else encode_order(ALL_ORDERS[0]),
            total_updates=1,
        ).start_from(learner)
    except ValueError as error:
        raise UserError(f"{path} cannot be started from: {error}") from error
    return dump_state({"ppo": learner})
