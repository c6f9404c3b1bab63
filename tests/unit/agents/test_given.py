"""Things of this process as agents."""

import numpy as np
import pytest

from cageflow.agents.given import GivenSource
from cageflow.collect import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import SETTING


class Restorer:
    """Restores one host after the other; counts its episodes."""

    def __init__(self, first: int = 132) -> None:
        self.first, self.step, self.ended = first, 0, 0

    def get_action(self, observation: np.ndarray, action_space: int) -> int:
        self.step += 1
        return self.first + self.step % (action_space - self.first)

    def end_episode(self) -> None:
        self.ended += 1
        self.step = 0


def returns(given: object, **arguments: object) -> list[float]:
    agent = GivenSource(given, arguments).load(SETTING)
    games = make_games(GameSpec(GameOptions("meander", max_steps=12), True))
    return play_episodes(agent, games, np.arange(3, dtype=np.uint64)).returns.tolist()


def test_class_object_function_and_batch_play() -> None:
    def restore(observation: np.ndarray, action_space: int) -> int:
        restore.step = restore.step % 12 + 1  # type: ignore[attr-defined]
        return 132 + restore.step % (action_space - 132)  # type: ignore[attr-defined]

    restore.step = 0  # type: ignore[attr-defined]

    class Many:
        step = 0

        def get_actions(self, observations: np.ndarray, action_space: int) -> np.ndarray:
            Many.step += 1
            return np.full(len(observations), 132 + Many.step % (action_space - 132))

    mine = Restorer()
    expected = returns(Restorer)
    assert expected == returns(mine) == returns(restore) == returns(Many)
    assert mine.ended == 2  # between the episodes
    assert returns(Restorer, first=140) != expected
    assert (GivenSource(mine).name, GivenSource(Restorer).name, GivenSource(restore).name) == (
        "Restorer",
        "Restorer",
        "restore",
    )


def test_failures_are_sentences_with_the_name_and_ctrl_c_is_ctrl_c() -> None:
    def fails(observation: np.ndarray) -> int:
        raise ValueError("no idea")

    def stopped(observation: np.ndarray) -> int:
        raise KeyboardInterrupt

    with pytest.raises(UserError, match="fails failed in the function: ValueError: no idea"):
        returns(fails)
    with pytest.raises(KeyboardInterrupt):
        returns(stopped)
    with pytest.raises(UserError, match="<lambda> answered 999 in step 1"):
        returns(lambda observation: 999)
    with pytest.raises(UserError, match="Restorer failed in its constructor"):
        returns(Restorer, size=3)
    with pytest.raises(UserError, match="is no policy"):
        GivenSource(object())
