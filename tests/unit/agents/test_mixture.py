"""Several blue agents of which one plays each episode."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.agents.mixture import MixtureAgent, MixtureSource, find_blue
from cageflow.agents.sources import BaselineSource, ForeignSource, PolicySource, SourceOptions
from cageflow.collect.games import GameSpec
from cageflow.collect.simulators import make_games
from cageflow.envs.agent import BlueView
from cageflow.envs.options import GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.evaluation.episodes import play_episodes
from cageflow.listed import quoted
from tests.helpers.agents import SETTING, Scripted, policy_file

SEEDS = EpisodeStream(3, "test").seeds(0, 400)


def view(num_envs: int) -> BlueView:
    nothing = np.zeros((num_envs, 52), np.uint8)
    return BlueView(
        0, nothing, None, lambda: nothing, lambda: nothing, lambda: nothing.view(np.int8), lambda _: nothing
    )


def test_agents__play_their_shares_of_the_episodes_each_decided_by_its_seed() -> None:
    agent = MixtureAgent([Scripted(1), Scripted(2)], [0.75, 0.25])
    agent.reset(SEEDS)
    actions = agent.act(view(len(SEEDS)))
    assert (actions == 1).mean() == pytest.approx(0.75, abs=0.07)
    agent.reset(SEEDS[::-1][:50])
    assert agent.act(view(50)).tolist() == actions[::-1][:50].tolist()


def test_each_agent__is_shown_its_own_games_and_no_other() -> None:
    first, second = Scripted(0), Scripted(1)
    agent = MixtureAgent([first, second], [0.5, 0.5])
    agent.reset(SEEDS[:20])
    seeds = np.concatenate([first.seeds[0], second.seeds[0]])
    assert sorted(seeds.tolist()) == sorted(SEEDS[:20].tolist())
    played = np.arange(20, dtype=np.uint8)[:, None] * np.ones(52, np.uint8)
    shown = BlueView(
        0, played, np.arange(20), lambda: played, lambda: played, lambda: played.view(np.int8), lambda _: played
    )
    agent.act(shown)
    for one in (first, second):
        own = np.flatnonzero(np.isin(SEEDS[:20], one.seeds[0]))
        assert one.seen[0][:, 0].tolist() == own.tolist()
        assert one.views[0].masks[:, 0].tolist() == own.tolist()
        assert one.views[0].last_actions is not None and one.views[0].last_actions.tolist() == own.tolist()


def test_mixture__plays_each_episode_as_one_of_its_agents_does() -> None:
    options = GameOptions("bline", max_steps=30)
    source = find_blue("react=1,sleep=3", SourceOptions())
    assert isinstance(source, MixtureSource)
    assert [(one.name, share) for one, share in source.members] == [("react", 0.25), ("sleep", 0.75)]
    returns = [
        play_episodes(one.load(SETTING), make_games(GameSpec(options, True)), SEEDS).returns
        for one in (source, BaselineSource("react"), BaselineSource("sleep"))
    ]
    mixed, react, sleep = returns
    assert ((mixed == react) | (mixed == sleep)).all()
    assert (mixed == react).mean() == pytest.approx(0.25, abs=0.07)


def test_policies_in_folders_of_any_name__are_found_alone_and_among_others(tmp_path: Path) -> None:
    folder = tmp_path / "a=1,b"
    folder.mkdir()
    policy = str(policy_file(folder / "blue=1.safetensors"))
    alone = find_blue(policy, SourceOptions())
    assert isinstance(alone, PolicySource) and alone.name == policy
    several = find_blue(f"react=1,{quoted(policy)}=3", SourceOptions())
    assert isinstance(several, MixtureSource)
    assert [(one.name, share) for one, share in several.members] == [("react", 0.25), (policy, 0.75)]
    with pytest.raises(UserError, match="is no policy"):
        find_blue(f"{tmp_path}/a=b.py", SourceOptions())
    assert isinstance(find_blue(f"{tmp_path}/a=b.py:Blue", SourceOptions()), ForeignSource)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("react=1,sleep=much", "sleep has the weight 'much'; expected agents with weights"),
        ("react=1,react=2", "gives react a weight below 0, or two"),
        ("react=-1", "gives react a weight below 0, or two"),
        ("react=0", "gives no agent any weight"),
        ("react=1,nobody=1", "'nobody' is no policy"),
        ("react,sleep", "'react,sleep' is no policy"),
    ],
)
def test_mixture_that_is_none__is_refused(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        find_blue(text, SourceOptions())


def test_most_games_at_once__are_those_of_the_agent_that_plays_fewest() -> None:
    assert MixtureAgent([Scripted(max_envs=4), Scripted(), Scripted(max_envs=2)], [0.3, 0.3, 0.4]).max_envs == 2
    assert MixtureAgent([Scripted(), Scripted()], [0.5, 0.5]).max_envs is None
