"""`bench cuda`, on a stand-in for a GPU: what it compares, and what it says where something differs."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cageflow.bench import cuda as benchmark
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError


class Device:
    """Does what `numba.cuda` does as far as the benchmark asks: one thread after the other, on this processor.

    Args:
        fault: is told the arguments of a launch after it; stands for a device that reckons wrongly.
    """

    def __init__(self, fault: Callable[[str, Any], None] = lambda _, __: None) -> None:
        self._fault = fault
        self._thread = 0
        self.launches: list[str] = []
        self.local = SimpleNamespace(array=lambda shape, kind: np.empty(shape, _dtype_of(kind)))

    def grid(self, axes: int) -> int:
        assert axes == 1
        return self._thread

    def jit(self, kernel: Callable[..., None]) -> Any:
        return {launch: self._launcher(kernel, launch) for launch in ((1, 64), (2, 64))}

    def _launcher(self, kernel: Callable[..., None], launch: tuple[int, int]) -> Callable[..., None]:
        def run(*arrays: Any) -> None:
            self.launches.append(kernel.__name__)
            for self._thread in range(launch[0] * launch[1]):
                kernel(*arrays)
            self._fault(kernel.__name__, arrays)

        return run

    def to_device(self, array: np.ndarray) -> Any:
        return array.copy().view(OnDevice)

    def synchronize(self) -> None:
        pass

    def get_current_device(self) -> Any:
        return SimpleNamespace(name=b"Stand-in")


class OnDevice(np.ndarray):
    """An array there."""

    def copy_to_host(self) -> np.ndarray:
        return np.array(self)

    def copy_to_device(self, here: np.ndarray) -> None:
        self[:] = here


def _dtype_of(kind: Any) -> np.dtype:
    return np.dtype(
        {
            "names": list(kind.fields),
            "formats": [_format_of(field.type) for field in kind.fields.values()],
            "offsets": [field.offset for field in kind.fields.values()],
            "itemsize": kind.size,
        }
    )


def _format_of(kind: Any) -> Any:
    return (kind.dtype.name, kind.shape) if hasattr(kind, "shape") else kind.name


def measured(monkeypatch: pytest.MonkeyPatch, device: Device, **options: Any) -> dict[str, Any]:
    monkeypatch.setattr(benchmark, "_device", lambda: device)
    game = GameOptions(red_agent="RedMeanderAgent", max_steps=6)
    return benchmark.bench_cuda(game, num_envs=(3,), compared=70, repeats=1, **options)


def test_bench_cuda__finds_the_same_games_on_a_device_that_reckons_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device()
    result = measured(monkeypatch, device)
    assert (result["device"], result["steps_compared"], result["different"]) == ("Stand-in", 420, [])
    assert device.launches.count("play") >= 6 and "play_episodes" in device.launches
    assert all(rate > 0 for rate in result["steps_per_s"]["3"].values())
    text = benchmark.format_cuda(result)
    assert "420 steps on both: every state, memory, observation and reward equal to the bit" in text


@pytest.mark.parametrize(("name", "place"), [("states", 0), ("memories", 1), ("observations", -2), ("rewards", -1)])
def test_bench_cuda__names_the_step_and_the_game_that_differ(
    monkeypatch: pytest.MonkeyPatch, name: str, place: int
) -> None:
    def fault(kernel: str, arrays: Any) -> None:
        array = arrays[place]
        if kernel == "play" and len(array) == 70 and device.launches.count("play") >= 10:
            field = array if array.dtype.names is None else array["step"]
            field[41] += 1

    device = Device(fault)
    result = measured(monkeypatch, device)
    assert len(result["different"]) == 1 and result["different"][0].endswith(f", {name}: 1 games, the first is 41")
    assert "DIFFERENT" in benchmark.format_cuda(result)


def test_bench_cuda__both_kernels_play_the_same_episode() -> None:
    game = GameOptions(red_agent="RedMeanderAgent", max_steps=20)
    device = Device()
    one = benchmark._Game(game, device, seed=3)
    games, actions = one._begin(5)
    kernels = benchmark.make_kernels(game.network, device)
    step_by_step, at_once = [part.copy() for part in games], [part.copy() for part in games]
    totals = np.zeros(5)
    for taken in actions:
        for device._thread in range(5):
            kernels.play(*step_by_step[:2], one._nets, one._settings, taken, *step_by_step[2:])
        totals += step_by_step[3]
    for device._thread in range(5):
        kernels.play_episodes(*at_once[:2], one._nets, one._settings, actions, *at_once[2:])
    for there, here in zip(step_by_step[:3], at_once[:3], strict=True):
        assert not len(benchmark._unequal(there, here))
    np.testing.assert_allclose(totals, at_once[3], rtol=1e-12)


def test_bench_cuda__without_a_device_says_what_it_takes() -> None:
    with pytest.raises(UserError, match="no CUDA device can be used .*; it takes an NVIDIA GPU"):
        benchmark.bench_cuda()
