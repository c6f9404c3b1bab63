"""Episodes that vary: what is drawn for each, that it is played, and that all else is as it was."""

from pathlib import Path

import numpy as np
import pytest

from cageflow.collect import COLLECTORS, EpisodeStream, GameSpec, make_collector
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.envs.varying import UNVARIED, Variation, format_mixture, parse_mixture, told_shares
from cageflow.errors import UserError
from cageflow.learn.inference import pack_weights
from tests.helpers.agents import NETWORK, policy, red_policy_file

SEEDS = EpisodeStream(7, "test").seeds(0, 40)
MIXTURE = parse_mixture("bline=1,meander=2,sleep=1")
OPTIONS = GameOptions("meander", max_steps=20)


def played(
    options: GameOptions, variation: Variation = UNVARIED, seeds: np.ndarray = SEEDS, steps: int = 20
) -> GameBatch:
    """Games in which blue slept."""
    batch = GameBatch(options, len(seeds))
    table = np.zeros((len(seeds), NETWORK.num_observations), np.uint8)
    batch.begin(seeds, table)
    if variation != UNVARIED:
        batch.vary(seeds, variation, table)
    for _ in range(steps):
        batch.play(np.zeros(len(seeds), np.int16), table, np.empty(len(seeds), np.float32))
    return batch


def same(mine: np.ndarray, its: np.ndarray, without: tuple[str, ...]) -> bool:
    names = [name for name in mine.dtype.names or () if name not in without]
    return all(np.array_equal(mine[name], its[name]) for name in names)


def test_shares__are_those_of_the_episodes_and_drawn_apart() -> None:
    seeds = EpisodeStream(1, "test").seeds(0, 8000)
    variation = Variation(0.5, 0.25, MIXTURE)
    awake, reds = variation.green_awake(seeds), variation.reds(seeds)
    assert awake is not None and reds is not None
    assert awake.mean() == pytest.approx(0.25, abs=0.02)
    assert np.bincount(reds) / len(seeds) == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    for red in range(3):
        assert awake[reds == red].mean() == pytest.approx(0.25, abs=0.03)
    assert UNVARIED.green_awake(seeds) is UNVARIED.reds(seeds) is None


def test_told_shares__put_all_that_learned_together_and_leave_their_files_out() -> None:
    mixture = (("B_lineAgent", 0.5), ("some/one.safetensors", 0.3), ("other.safetensors", 0.2))
    assert told_shares(mixture) == {"B_lineAgent": 0.5, "learned": 0.5}
    assert told_shares(()) == {}


def test_varied_episode__is_the_one_that_the_game_with_what_was_drawn_plays() -> None:
    variation = Variation(green_share=0.5, red_mixture=MIXTURE)
    awake, reds = variation.green_awake(SEEDS), variation.reds(SEEDS)
    assert awake is not None and reds is not None
    batch = played(OPTIONS, variation)
    for red, (name, _) in enumerate(MIXTURE):
        for green in (False, True):
            chosen = (reds == red) & (awake == green)
            assert chosen.any()
            plain = played(GameOptions(name, max_steps=20, green=green), seeds=SEEDS[chosen])
            drawn = ("mixture_red", "green")
            assert same(batch.states[chosen], plain.states, drawn)
            blue_holds = () if green else ("hidden",)  # blue is not told that it is asleep
            assert same(batch.memory.records[chosen], plain.memory.records, ("green", *blue_holds))


def test_what_blue_holds_to_be_in_vain__is_as_where_green_is_awake_in_all_varied_episodes() -> None:
    varied = played(OPTIONS, Variation(green_share=0.0))
    assert np.array_equal(varied.states["green"], np.zeros(len(SEEDS)))
    awake = played(GameOptions("meander", max_steps=20, green=True))
    alike = played(OPTIONS)
    assert same(varied.states, alike.states, ("green",)) and not same(varied.states, awake.states, ("green",))
    assert varied.memory.records["hidden"].any() and not alike.memory.records["hidden"].any()
    varied.go_on(np.ones(len(SEEDS), np.bool_))
    assert (varied.states["green"] == -1).all() and not varied.memory.records["green"].any()


def test_mixed_rules__are_drawn_once_an_episode_and_are_either_ones() -> None:
    """Red forgets what it scanned under one and not under the other, so the games part."""
    seeds = EpisodeStream(3, "test").seeds(0, 400)
    mixed = played(GameOptions("bline", rules="mixed", max_steps=20), seeds=seeds)
    rules = mixed.states["rules"]
    assert set(rules.tolist()) == {0, 1} and 0.4 < rules.mean() < 0.6
    before = rules.copy()
    table = np.zeros((len(seeds), NETWORK.num_observations), np.uint8)
    mixed.play(np.zeros(len(seeds), np.int16), table, np.empty(len(seeds), np.float32))
    assert np.array_equal(mixed.states["rules"], before)
    for fixed in ("v2.1", "challenge"):
        assert (played(GameOptions("bline", rules=fixed, max_steps=20)).states["rules"] == -1).all()


@pytest.mark.parametrize("number", [0, 1])
def test_drawn_rules__are_played_as_the_fixed_ones(number: int) -> None:
    """Forced, since drawing them moves the stream on."""
    fixed = GameBatch(GameOptions("meander", rules=("v2.1", "challenge")[number], max_steps=60), len(SEEDS))
    mixed = GameBatch(GameOptions("meander", rules="mixed", max_steps=60), len(SEEDS))
    table = np.zeros((len(SEEDS), NETWORK.num_observations), np.uint8)
    for batch in (fixed, mixed):
        batch.begin(SEEDS, table)
    mixed.states["rules"] = number
    rng = np.random.default_rng(5)
    for _ in range(60):
        actions = rng.integers(len(NETWORK.codec), size=len(SEEDS)).astype(np.int16)
        for batch in (fixed, mixed):
            batch.play(actions, table, np.empty(len(SEEDS), np.float32))
    assert same(fixed.states, mixed.states, ("rules",))


def test_all_collectors__play_the_same_varied_episodes(tmp_path: Path) -> None:
    """One with a policy of red's among them."""
    who = pack_weights(policy(mask_actions=True).layers, "tanh")
    spec, seeds = GameSpec(GameOptions("meander", rules="mixed", max_steps=20), masked=True), SEEDS[:12]
    mixture = parse_mixture(f"bline=1,meander=1,{red_policy_file(tmp_path / 'red.safetensors')}=1")
    variation = Variation(0.5, 0.5, mixture)
    found = {}
    for name in COLLECTORS:
        collector = make_collector(name, spec, 2)
        found[name] = collector.play(who, seeds, None, variation)
        collector.close()
    for name, episodes in found.items():
        assert np.array_equal(episodes.rollout.actions, found["vector"].rollout.actions), name
        assert np.array_equal(episodes.env_returns, found["vector"].env_returns), name


def test_mixture__is_read_in_two_forms_and_kept_as_it_was_given() -> None:
    assert parse_mixture("bline=3, RedMeanderAgent = 1") == (("B_lineAgent", 0.75), ("RedMeanderAgent", 0.25))
    assert parse_mixture({"meander": 1, "sleep": 0}) == (("RedMeanderAgent", 1.0),)
    assert format_mixture({"B_lineAgent": 3.0, "meander": 0.5}) == "bline=3,meander=0.5"
    assert format_mixture("sleep=1") == "sleep=1"


def test_policy_in_a_folder_of_any_name__is_read_as_it_is_kept(tmp_path: Path) -> None:
    policy = tmp_path / 'of, "a=1"' / "red=2.safetensors"
    policy.parent.mkdir()
    policy.touch()
    kept = format_mixture({"bline": 1, str(policy): 3})
    assert parse_mixture(kept) == (("B_lineAgent", 0.25), (str(policy), 0.75))
    assert format_mixture(kept) == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("bline", "red_mixture has 'bline' without a weight"),
        ("bline=much", "red_mixture gives bline the weight 'much'"),
        ("bline=-1", "the weight -1; expected 0 or more"),
        ("bline=nan", "expected 0 or more"),
        ("bline=1,B_lineAgent=2", "names B_lineAgent twice"),
        ("bline=0", "in which no red agent has any weight"),
        ("mixed=1", "red_mixture names mixed, which is two red agents"),
        ("nobody=1", "'nobody' is no red agent"),
        ("my.py:Red=1", "red_mixture names my.py:Red, which is code: .* play against this one alone, by --red-agent"),
        (3, "red_mixture is 3; expected red agents with weights"),
    ],
)
def test_no_mixture__is_refused_in_a_sentence(given: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_mixture(given)
