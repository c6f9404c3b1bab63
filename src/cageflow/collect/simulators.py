"""Which games a spec asks for: on the compiled simulator or on an installed CybORG."""

from __future__ import annotations

from cageflow.collect.games import CompiledGames, GameSpec, LocalGames


def make_games(spec: GameSpec) -> LocalGames:
    """The games that a spec asks for, in this process.

    Raises:
        UserError: CybORG is asked for and is not there.
    """
    if spec.cyborg_path is None:
        return CompiledGames(spec)
    from cageflow.collect.cyborg_games import CyborgGames  # so that the bridge is loaded only where it is used

    return CyborgGames(spec)
