"""Which games a spec asks for: on the compiled simulator or on an installed CybORG."""

from __future__ import annotations

from dataclasses import replace

from cageflow.collect.games import Batch, Games, GameSpec, LocalGames
from cageflow.collect.slowed import SlowedBatch
from cageflow.envs.game import GameBatch


def make_learners_games(spec: GameSpec) -> Games:
    """The games that a learner is to play, as blue or as red, in this process.

    Raises:
        UserError: CybORG is asked for and is not there, or blue cannot be made.
    """
    if spec.blue is None:
        return make_games(spec)
    from cageflow.collect.red_games import RedGames  # so that what plays red is loaded only where it is used

    return RedGames(spec)


def make_games(spec: GameSpec) -> LocalGames:
    """The games that a spec asks for, in this process.

    Raises:
        UserError: CybORG is asked for and is not there.
    """
    if spec.cyborg_path is None:
        batch: Batch = GameBatch(spec.options, 1)
        return LocalGames(spec, batch if spec.steps_per_s is None else SlowedBatch(batch, spec.steps_per_s))
    from cageflow.envs.cyborg_batch import CyborgBatch  # so that the bridge is loaded only where it is used

    return LocalGames(spec, CyborgBatch(spec.options, spec.cyborg_path))


def make_games_against(spec: GameSpec, red: str) -> LocalGames:
    """The games of a spec, in which a policy of red's plays red.

    Raises:
        UserError: there is none in its file, it plays blue, or it was made for another network.
    """
    return make_games(replace(spec, options=spec.options.against(red, spec.options.max_steps)))
