"""The algorithms of other libraries by name, imported only where they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.learn.policy import Policy

Tell = Callable[[int], None]
"""Is told now and then how many episodes have been played; may raise to end the training."""


class Library(NamedTuple):
    """Where an algorithm comes from.

    Attributes:
        package: what must be installed, as it is imported.
        extra: of cageflow, that installs it.
        module: of cageflow, that trains with it.
        function: in that module: `(game, total_episodes, seed, tell) -> Policy`.
    """

    package: str
    extra: str
    module: str
    function: str


LIBRARIES: dict[str, Library] = {
    "a2c": Library("stable_baselines3", "sb3", "cageflow.agents.baselines.sb3", "train_a2c"),
    "dqn": Library("stable_baselines3", "sb3", "cageflow.agents.baselines.sb3", "train_dqn"),
    "sac": Library("torchrl", "sac", "cageflow.agents.baselines.sac", "train_sac"),
}
"""The algorithms; a new one is a function and a line."""


def check_installed(name: str) -> None:
    """Refuse an algorithm whose library is not there.

    Raises:
        UserError: it is not.
    """
    library = LIBRARIES[name]
    try:
        importlib.import_module(library.package)
    except ImportError as error:
        raise UserError(
            f"the baseline {name} needs {library.package}, which is not installed: "
            f"pip install 'cageflow[{library.extra}]'"
        ) from error


def train(name: str, game: GameOptions, total_episodes: int, seed: int, tell: Tell) -> Policy:
    """Train an algorithm for as many steps as the episodes have.

    Args:
        name: one of LIBRARIES.
        game: that is played.
        total_episodes: whose steps are the budget. A collector that takes several games' steps at once may play up to
            one batch of steps more; the card of the policy says what was played, in whole episodes, rounded up.
        seed: decides all chance, at least 0 and below 2**32.
        tell: is told how it gets on.

    Raises:
        UserError: its library is not installed.
    """
    check_installed(name)
    import torch

    torch.set_num_threads(1)  # more wait for one another on networks this small
    library = LIBRARIES[name]
    function = getattr(importlib.import_module(library.module), library.function)
    policy: Policy = function(game, total_episodes, seed, tell)
    return policy
