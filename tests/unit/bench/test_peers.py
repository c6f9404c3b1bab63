"""`bench peers`: every learner plays and learns as much as the others, or is not measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from cageflow.bench import peers as benchmark
from cageflow.bench.peer import Peer, PeerSetting, learner_of_all
from cageflow.bench.peer_cageflow import CageflowPeer
from cageflow.bench.peer_cleanrl import CleanRLPeer
from cageflow.bench.peer_sb3 import SB3Peer
from cageflow.bench.peer_torchrl import TorchRLPeer
from cageflow.bench.peers import PEERS, bench_peers, format_peers
from cageflow.envs.game import GameBatch
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError

SETTING = PeerSetting(game=GameOptions(max_steps=8), num_episodes=6)  # 48 steps, 4 minibatches of 12, 4 epochs
KINDS: dict[str, Callable[[PeerSetting], Peer]] = {
    "cageflow": CageflowPeer,
    "sb3": SB3Peer,
    "cleanrl_style": CleanRLPeer,
    "torchrl": TorchRLPeer,
}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The games of each step that any environment of ours plays."""
    steps: list[int] = []
    play = GameBatch._play

    def counted(self: GameBatch, actions, *rest):
        steps.append(len(actions))
        play(self, actions, *rest)

    monkeypatch.setattr(GameBatch, "_play", counted)
    yield steps


def weights_of(peer: Peer) -> list[torch.Tensor]:
    """Copies of all that a learner learns."""
    if isinstance(peer, CageflowPeer):
        parameters = [torch.from_numpy(one) for _, one in peer._ppo._networks.named_parameters()]
    elif isinstance(peer, SB3Peer):
        parameters = list(peer._model.policy.parameters())
    else:
        assert isinstance(peer, CleanRLPeer | TorchRLPeer)
        parameters = [one for group in peer._optimizer.param_groups for one in group["params"]]
    return [one.detach().clone() for one in parameters]


def test_learners_of_the_test__are_all_there_are() -> None:
    assert list(KINDS) == list(PEERS)
    assert all(PEERS[name].name == kind.__name__ for name, kind in KINDS.items())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["sb3", "cleanrl_style", "torchrl"])
def test_learner_of_others__plays_learns_and_changes_all_its_weights(name: str, played: list[int]) -> None:
    peer = KINDS[name](SETTING)
    before = weights_of(peer)
    peer.learn(2)
    after = weights_of(peer)
    peer.close()
    assert (peer.env_steps, peer.gradient_steps) == (2 * 48, 2 * 4 * 4)
    assert sum(played) - 48 <= 2 * 48 <= sum(played)  # a collector may have begun with the next batch
    assert all(not torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert sum(one.numel() for one in after) == sum(one.numel() for one in weights_of(CageflowPeer(SETTING)))


def test_our_learner__plays_learns_and_changes_all_its_weights() -> None:
    peer = CageflowPeer(SETTING)
    before = weights_of(peer)
    peer.learn(2)
    assert (peer.env_steps, peer.gradient_steps) == (2 * 48, 2 * 4 * 4)
    assert all(not torch.equal(one, other) for one, other in zip(before, weights_of(peer), strict=True))
    peer.close()


def test_measurement__has_the_documented_keys_and_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    two = {name: PEERS[name] for name in ("cageflow", "cleanrl_style")}
    missing = benchmark.PeerKind("cageflow.bench.peer_absent", "Absent", "no_such_library", "sb3")
    monkeypatch.setattr(benchmark, "PEERS", {**two, "sb3": missing})
    said: list[str] = []
    result = bench_peers(SETTING, updates=1, repeats=2, num_threads=1, progress=said.append)
    assert {"episodes_per_s", "ratios"} <= result.keys()
    assert list(result["episodes_per_s"]) == ["cageflow", "cleanrl_style"]
    assert list(result["ratios"]) == list(result["cpu_ratios"]) == ["cleanrl_style"]
    cure = "no_such_library is not installed: pip install 'cageflow[sb3]'"
    assert result["left_out"] == {"sb3": cure}
    assert f"sb3 is left out: {cure}" in said
    assert json.loads(json.dumps(result)) == result
    words = format_peers(result)
    assert f"left out: {cure}" in words and "6 episodes of 8 steps an update" in words


def test_ratio__is_the_median_over_turns_of_seconds_over_ours() -> None:
    ours = [benchmark.Measured(wall, wall / 2) for wall in (1.0, 2.0, 4.0)]
    others = [benchmark.Measured(wall, wall / 4) for wall in (10.0, 30.0, 20.0)]
    measured = {"cageflow": ours, "sb3": others}
    assert benchmark._ratios([one.wall_s for one in ours], measured, "wall_s") == {"sb3": 10.0}
    assert benchmark._ratios([one.cpu_s for one in ours], measured, "cpu_s") == {"sb3": 5.0}


def test_learner_that_does_less__is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = CleanRLPeer(SETTING)
    monkeypatch.setattr(peer, "_update", lambda: None)
    with pytest.raises(RuntimeError, match=r"CleanRLPeer did \(48, 0\) steps .* expected \(48, 16\)"):
        benchmark._time(peer, SETTING, 1)
    peer.close()


def test_update_that_cannot_be_divided__is_refused() -> None:
    odd = PeerSetting(game=GameOptions(max_steps=7), num_episodes=3)
    with pytest.raises(UserError, match="21 steps, which 4 minibatches cannot share equally"):
        bench_peers(odd, 1, 1, 1, lambda words: None)


def test_nothing_lets_our_learner_do_less() -> None:
    config = learner_of_all()
    assert config.target_kl is None and not config.has_schedule
    assert np.prod(config.hidden_sizes) == 64 * 64
