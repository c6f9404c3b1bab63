"""The loop over steps: what an agent is shown, what comes back, what is refused."""

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.collect import EpisodeStream, GameSpec, WorkflowSpec
from cageflow.collect.games import LocalGames
from cageflow.collect.play import Player
from cageflow.collect.simulators import make_games
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from cageflow.learn.inference import pack_weights
from tests.helpers.agents import NETWORK, Scripted, policy
from tests.helpers.orders import parse_order

ORDER = parse_order("enterprise,op_server,user,op_host,defender")
WORKFLOW = WorkflowSpec(ORDER, 30.0, "any-session")
SEEDS = EpisodeStream(3, "test").seeds(0, 40)
NUM_ACTIONS = len(NETWORK.codec)


def games(*, max_steps: int = 30, masked: bool = True) -> LocalGames:
    return make_games(GameSpec(GameOptions("meander", max_steps=max_steps), masked))


@pytest.mark.parametrize("masked", [True, False])
def test_policy__plays_the_episodes_that_a_collector_plays(masked: bool) -> None:
    who = policy(mask_actions=masked)
    collected = Player(games(masked=masked), 30).play(pack_weights(who.layers, "tanh"), SEEDS, WORKFLOW)
    played = play_episodes(PolicyAgent(who), games(), SEEDS, WORKFLOW)
    assert np.array_equal(played.returns, collected.env_returns)
    assert np.array_equal(played.compliance, collected.compliance)
    assert len(np.unique(played.returns)) > 5


def test_deterministic_policy__takes_its_likeliest_allowed_action() -> None:
    who = policy(1)
    keeper = Scripted()
    play_episodes(keeper, games(max_steps=1), SEEDS)
    agent = PolicyAgent(who, deterministic=True)
    agent.reset(SEEDS)
    log_probs = np.where(keeper.views[0].masks == 1, who.log_probs(keeper.seen[0]), -np.inf)
    assert agent.act(keeper.views[0]).tolist() == log_probs.argmax(axis=1).tolist()


def test_memory_of_a_policy__is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    free, bounded = policy(), policy()
    wanted = play_episodes(PolicyAgent(free), games(), SEEDS).returns
    monkeypatch.setattr("cageflow.learn.policy._MEMORY_ROWS", 50)
    assert np.array_equal(play_episodes(PolicyAgent(bounded), games(), SEEDS).returns, wanted)
    assert bounded._actor.num_observations <= 50 < free._actor.num_observations


def test_batches__change_nothing() -> None:
    whole = play_episodes(PolicyAgent(policy()), games(), SEEDS, WORKFLOW)
    parts = play_episodes(PolicyAgent(policy()), games(), SEEDS, WORKFLOW, max_envs=7)
    assert np.array_equal(whole.returns, parts.returns)
    assert np.array_equal(whole.compliance, parts.compliance)


def test_agent_s_own_limit__is_kept() -> None:
    agent = Scripted(max_envs=3)
    play_episodes(agent, games(max_steps=2), SEEDS[:8], max_envs=5)
    assert [len(seeds) for seeds in agent.seeds] == [3, 3, 2]
    assert np.array_equal(np.concatenate(agent.seeds), SEEDS[:8])


def test_view__tells_the_step_what_was_played_what_is_in_vain_and_the_truth() -> None:
    restore = NETWORK.codec.encode("Restore User1")
    agent = Scripted(restore)
    truths = []

    class Curious(Scripted):
        def act(self, view):
            truths.append(view.access)
            assert view.masks is view.masks
            return agent.act(view)

    play_episodes(Curious(), games(max_steps=30), SEEDS[:5])
    assert [view.step for view in agent.views] == list(range(30))
    assert agent.views[0].last_actions is None
    assert all(view.last_actions.tolist() == [restore] * 5 for view in agent.views[1:])
    assert agent.views[0].masks.shape == (5, NUM_ACTIONS)
    assert not agent.views[0].masks[0, NETWORK.codec.encode("Analyse User1")]
    start = NETWORK.hosts.index("User0")
    assert (truths[0][:, start] == Access.PRIVILEGED).all()
    assert (np.delete(truths[0], start, axis=1) == Access.NONE).all()
    assert (np.delete(truths[-1], start, axis=1) > Access.NONE).any()


def test_masks__are_there_for_who_asks_whatever_a_collector_is_given() -> None:
    asked, not_asked = (
        play_episodes(PolicyAgent(policy()), games(masked=masked), SEEDS).returns for masked in (True, False)
    )
    assert np.array_equal(asked, not_asked)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.full(4, NUM_ACTIONS), f"step 1 the agent gave no action: {NUM_ACTIONS} is no action"),
        (np.array([0, 0, 0, -1]), "-1 is no action"),
        (np.zeros(4), "expected integers as actions, got float64"),
        (np.zeros(3, int), r"gave \(3,\) actions; expected one for each game"),
    ],
)
def test_what_is_no_action__is_refused(answer: np.ndarray, words: str) -> None:
    agent = Scripted()
    agent.act = lambda view: answer  # type: ignore[method-assign]
    with pytest.raises(UserError, match=words):
        play_episodes(agent, games(), SEEDS[:4])
