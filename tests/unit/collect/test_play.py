"""The loop in compiled code and the loop in Python give the same episodes to the last bit."""

from dataclasses import fields

import numpy as np
import pytest

from cageflow.collect import Episodes, EpisodeStream, GameSpec, WorkflowSpec
from cageflow.collect import play as module
from cageflow.collect.games import LocalGames
from cageflow.collect.play import Player
from cageflow.collect.slowed import SlowedBatch
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.learn.inference import ActorWeights
from cageflow.learn.ppo import PPO
from cageflow.settings.presets import PRESETS
from cageflow.sim.recall import num_inputs
from tests.helpers.orders import parse_order

ORDER = parse_order("enterprise,op_server,user,op_host,defender")
STREAM = EpisodeStream(3, "test")
NO_WAIT = 1e12  # steps a second


def weights(spec: GameSpec) -> ActorWeights:
    network = spec.options.network
    bits = num_inputs(network, memory=spec.memory)
    ppo = PPO(PRESETS["reference"].learner, num_observations=bits, num_actions=len(network.codec), seed=0)
    return ppo.actor_weights()


def play(spec: GameSpec, num_games: list[int], workflow: WorkflowSpec | None, *, compiled: bool) -> list[Episodes]:
    batch = GameBatch(spec.options, 1)
    games = LocalGames(spec, batch if compiled else SlowedBatch(batch, NO_WAIT))
    player = Player(games, spec.options.max_steps)
    return [player.play(weights(spec), STREAM.seeds(10 * n, n), workflow) for n in num_games]


def check_equal(one: Episodes, other: Episodes) -> None:
    arrays = {f"rollout.{field.name}": field.name for field in fields(one.rollout)}
    for shown, name in arrays.items():
        first, second = getattr(one.rollout, name), getattr(other.rollout, name)
        assert (first is None) == (second is None), shown
        if first is not None:
            assert (first.dtype, first.shape, first.tobytes()) == (second.dtype, second.shape, second.tobytes()), shown
    for name in ("compliance", "fixes", "tests", "contests"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


@pytest.mark.parametrize(
    "workflow",
    [None, WorkflowSpec(ORDER, 5.0, "evictable"), WorkflowSpec(ORDER, 0.0, "any-session", "enforced")],
    ids=["free", "rewarded", "enforced"],
)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("memory", [False, True])
def test_both_loops_give_the_same_episodes(workflow: WorkflowSpec | None, masked: bool, memory: bool) -> None:
    spec = GameSpec(GameOptions("mixed", max_steps=40, green=True), masked, memory=memory)
    num_games = [3, 60, 3]  # more, then fewer than before; the tables of the second grow on the way
    loops = [play(spec, num_games, workflow, compiled=compiled) for compiled in (True, False)]
    assert not memory or len(loops[0][1].rollout.observations) > 1024
    assert workflow is None or loops[0][1].fixes.any()
    for one, other in zip(*loops, strict=True):
        check_equal(one, other)


def test_both_loops_give_the_same_episodes_where_actions_take_time() -> None:
    spec = GameSpec(GameOptions("meander", max_steps=40, durations="cage4"), masked=True, memory=True)
    loops = [play(spec, [20], WorkflowSpec(ORDER, 5.0, "any-session"), compiled=compiled) for compiled in (True, False)]
    check_equal(loops[0][0], loops[1][0])


def test_compiled_loop_is_what_plays_on_the_compiled_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise RuntimeError("compiled")

    monkeypatch.setattr(module, "play_steps", refuse)
    spec = GameSpec(GameOptions("bline", max_steps=2), masked=True)
    with pytest.raises(RuntimeError, match="compiled"):
        play(spec, [2], None, compiled=True)
    play(spec, [2], None, compiled=False)


def test_a_difference_would_be_found() -> None:
    spec = GameSpec(GameOptions("bline", max_steps=10), masked=True)
    one, other = (play(spec, [4], None, compiled=True)[0] for _ in range(2))
    check_equal(one, other)
    other.rollout.mask_idx[7, 2] += 1
    with pytest.raises(AssertionError, match="rollout.mask_idx"):
        check_equal(one, other)


def test_time_is_told_apart() -> None:
    spec = GameSpec(GameOptions("bline", max_steps=50), masked=True)
    played = play(spec, [4, 300], None, compiled=True)[1]
    assert 0.0 < played.inference_s < 60.0
    assert 0.0 < played.simulation_s < 60.0
    assert np.isfinite(played.inference_s)
