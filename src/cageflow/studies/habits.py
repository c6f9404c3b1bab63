"""A training that begins with a habit wired into a network of chance (`cageflow.learn.remove_habit`)."""

from __future__ import annotations

from cageflow.files import write_whole
from cageflow.learn.ppo import PPO
from cageflow.learn.remove_habit import remove_habit
from cageflow.learn.wiring import wire, wired_sizes
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import make_config_of
from cageflow.studies.training import Training
from cageflow.training.state_file import dump_state
from cageflow.training.trainer import sizes_of

HABIT_RULES = "challenge"
"""Under which a Restore closes a hole for good, so that the habit pays."""


def with_habit(training: Training) -> Training:
    """The same training, but that it begins with the habit, which is kept beside its folder; others as they are.

    Args:
        training: of a policy with tanh layers, a memory and no workflow; not begun, or begun so.
    """
    config = training.config
    if config.rules != HABIT_RULES:
        return training
    network, file = config.game().network, training.path.with_name(f"{training.path.name}-habit.state")
    if not file.exists():
        sizes = sizes_of(config)
        chance = PPO(
            config.learner(),
            num_observations=sizes.observations,
            num_actions=sizes.actions,
            total_updates=1,
            seed=config.seed,
        )
        write_whole(file, dump_state({"ppo": wire(chance.state_dict(), remove_habit(network))}))
    own = {"hidden_sizes": wired_sizes(config.learner().hidden_sizes, network)}
    changed = {**config.to_json(), "ppo": {**config.ppo, **own}, "start_from": str(file.absolute())}
    return Training(make_config_of(TrainConfig, changed), training.path)
