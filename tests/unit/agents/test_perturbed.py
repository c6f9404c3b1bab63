"""An agent that is overruled for a while: by what, and that it sees what happens meanwhile."""

import numpy as np

from cageflow.agents.perturbed import PerturbedAgent
from cageflow.collect import GameSpec, WorkflowSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.options import GameOptions
from cageflow.envs.perturbing import PERTURBING_STEPS, STARTS
from cageflow.evaluation.episodes import play_episodes
from tests.helpers.agents import NETWORK, SETTING, Scripted

SEEDS = np.arange(30, dtype=np.uint64)
STEPS = PERTURBING_STEPS + 5


class Restorer(Scripted):
    """Restores one host in every step, and keeps what it was shown."""

    def act(self, view: object) -> np.ndarray:
        super().act(view)
        return np.full(len(SEEDS), NETWORK.codec.encode("Restore User1"))


def play(start: str, seeds: np.ndarray = SEEDS, lead_in: int = PERTURBING_STEPS) -> tuple[Restorer, np.ndarray]:
    agent = Restorer()
    games = make_games(GameSpec(GameOptions("meander", max_steps=STEPS), masked=False))
    played = play_episodes(PerturbedAgent(agent, SETTING, start), games, seeds, lead_in=lead_in)
    return agent, played.returns


def done(agent: Restorer) -> np.ndarray:
    """(T, B) the actions that were taken before each step but the first."""
    return np.stack([view.last_actions for view in agent.views[1:]])


def test_asleep__is_sleep_and_then_the_agent_s_own() -> None:
    actions = done(play("asleep")[0])
    assert (actions[:PERTURBING_STEPS] == NETWORK.codec.encode("Sleep")).all()
    assert (actions[PERTURBING_STEPS:] == NETWORK.codec.encode("Restore User1")).all()


def test_random__draws_from_all_actions_by_the_seed_of_the_episode() -> None:
    actions = done(play("random")[0])
    drawn = actions[:PERTURBING_STEPS]
    assert len(np.unique(drawn)) > 0.9 * len(NETWORK.codec)
    assert (actions[PERTURBING_STEPS:] == NETWORK.codec.encode("Restore User1")).all()
    again = done(play("random", SEEDS[::-1].copy())[0])
    assert np.array_equal(again[:PERTURBING_STEPS, ::-1], drawn)


def test_agent__sees_every_step() -> None:
    agent, _ = play("random")
    assert [view.step for view in agent.views] == list(range(STEPS))


def test_perturbing_steps__do_not_count_to_the_return() -> None:
    for start in STARTS:
        counted, whole = play(start)[1], play(start, lead_in=0)[1]
        assert (whole < counted).all()  # what red holds by then has cost something
        assert (counted <= -5.0).all()  # five Restores


def test_perturbing_steps__are_not_judged() -> None:
    workflow = WorkflowSpec(NETWORK.orders.unrank(0), 0.0, "any-session")
    games = make_games(GameSpec(GameOptions("meander", max_steps=STEPS), masked=False))
    play_episodes(PerturbedAgent(Restorer(), SETTING, "random"), games, SEEDS, workflow, lead_in=PERTURBING_STEPS)
    assert games.tracker is not None
    assert (games.tracker.fixes == STEPS - PERTURBING_STEPS).all()
