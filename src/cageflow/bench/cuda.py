"""Whether a GPU plays the same games, and how many steps a second: what `cageflow bench cuda` measures and prints.

The rules are the simulator's own, compiled by numba-cuda: each thread plays one game. Nothing else in cageflow plays
on a GPU; whoever wants to, begins with these two kernels.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype

from cageflow.bench.simulator import describe_machine
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError
from cageflow.scenario import Network
from cageflow.sim.batch import play_loop, reset_loop
from cageflow.sim.handover import plain, row
from cageflow.sim.memory import new_memories, remember, see
from cageflow.sim.observation import unpack
from cageflow.sim.state import Array, new_states
from cageflow.sim.step import step

NUM_ENVS = (8192, 131_072, 1_048_576)
COMPARED = 8192
THREADS_A_BLOCK = 64
MISSING = (
    "no CUDA device can be used ({why}); it takes an NVIDIA GPU with its driver and `pip install 'numba-cuda[cu13]'`."
)


class Kernels(NamedTuple):
    """Functions for `numba.cuda.jit`, one thread a game.

    Attributes:
        play: one step of every game, as `cageflow.sim.batch.play_loop` plays it.
        play_episodes: (T, B) actions at once; what blue sees after the last and the sum of (B,) rewards stay.
    """

    play: Callable[..., None]
    play_episodes: Callable[..., None]


def make_kernels(network: Network, cuda: Any) -> Kernels:
    """The two kernels for a network, `cuda` being the module `numba.cuda`."""
    state_type = from_dtype(plain(new_states(network, 1)).dtype)
    memory_type = from_dtype(plain(new_memories(network, 1)).dtype)

    def play(states, memories, nets, settings, actions, observations, rewards):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < states.shape[0]:
            rewards[i] = step(states[i], nets[0], settings[0], actions[i]) / 10.0
            see(memories[i], states[i])
            remember(memories[i], nets[0], settings[0], actions[i])
            unpack(states[i], observations[i])

    def play_episodes(states, memories, nets, settings, actions, observations, rewards):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < states.shape[0]:
            # Local memory lies interleaved by threads: neighbours read it together, which they cannot of records.
            state = cuda.local.array(1, state_type)
            memory = cuda.local.array(1, memory_type)
            state[0] = states[i]
            memory[0] = memories[i]
            total = 0.0
            for t in range(actions.shape[0]):
                total += step(state[0], nets[0], settings[0], actions[t, i]) / 10.0
                see(memory[0], state[0])
                remember(memory[0], nets[0], settings[0], actions[t, i])
            unpack(state[0], observations[i])
            rewards[i] = total
            states[i] = state[0]
            memories[i] = memory[0]

    return Kernels(play, play_episodes)


def bench_cuda(
    options: GameOptions | None = None,
    *,
    num_envs: Sequence[int] = NUM_ENVS,
    compared: int = COMPARED,
    repeats: int = 9,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare a GPU's games with the processor's, and measure it.

    Args:
        options: the game; None is CAGE-2 against RedMeanderAgent, as for `bench sim`.
        num_envs: numbers of games at once to measure with.
        compared: games of an episode that are compared step by step, to the bit.
        repeats: of every figure, an episode of all games each; the median stands for it.
        seed: of the games and of blue's random actions.
        progress: is told what comes next.

    Returns:
        For JSON. `steps_compared`, `different` (the first differences found, in words; none if all is well),
        `steps_per_s` by number of games: of `play` (a launch a step, observations written), of `play_episodes` (a
        launch an episode), of one thread of the `processor`; `device`, `red_agent`, `network`, `durations`,
        `repeats`, `machine`.

    Raises:
        UserError: there is no device, or nothing to compile for it.
    """
    options = GameOptions(red_agent="RedMeanderAgent") if options is None else options
    game = _Game(options, _device(), seed)
    progress("compilation for the GPU")
    game.compile()
    progress(f"{compared} games, step by step on both")
    different = list(game.differences(compared))
    figures = {}
    for number in num_envs:
        progress(f"{number} games at once")
        figures[str(number)] = game.steps_per_s(number, repeats)
    return {
        "device": game.device_name,
        "steps_compared": compared * options.max_steps,
        "different": different,
        "steps_per_s": figures,
        "red_agent": options.red_agent,
        "network": options.network.identity.to_json(),
        "durations": options.durations,
        "repeats": repeats,
        "machine": describe_machine(),
    }


def format_cuda(result: dict[str, Any]) -> str:
    """The result of `bench_cuda` in words."""
    machine, network = result["machine"], result["network"]
    different = result["different"]
    lines = [
        f"{result['device']}; {machine['processor']}, Python {machine['python']}, Numba {machine['numba']}",
        f"{network['name']}, {len(network['hosts'])} hosts, against {result['red_agent']}, random blue actions",
        "",
        f"{result['steps_compared']:,} steps on both: "
        + ("every state, memory, observation and reward equal to the bit" if not different else "DIFFERENT"),
        *(f"  {difference}" for difference in different),
        "",
        "million steps/s:",
        f"{'games at once':>14}{'a launch a step':>20}{'a launch an episode':>22}{'one CPU thread':>18}",
    ]
    for number, rates in result["steps_per_s"].items():
        lines.append(
            f"{int(number):14,}{rates['play'] / 1e6:20.1f}{rates['play_episodes'] / 1e6:22.1f}"
            f"{rates['processor'] / 1e6:18.1f}"
        )
    return "\n".join(lines)


class _Game:
    """One game on both: the same seeds, the same actions."""

    def __init__(self, options: GameOptions, cuda: Any, seed: int) -> None:
        self._options, self._cuda, self._seed = options, cuda, seed
        self._network = options.network
        self._nets, self._settings = row(self._network.tables), row(options.params())
        self._initial = plain(new_states(self._network, 1))
        kernels = make_kernels(self._network, cuda)
        self._play, self._play_episodes = cuda.jit(kernels.play), cuda.jit(kernels.play_episodes)
        name = cuda.get_current_device().name
        self.device_name = name.decode() if isinstance(name, bytes) else str(name)

    def compile(self) -> None:
        """Both kernels, by playing one game."""
        self.steps_per_s(1, 1)

    def differences(self, num_envs: int) -> Iterator[str]:
        """What differs after a step, of the first step in which anything does."""
        games, actions = self._begin(num_envs)
        device = [self._cuda.to_device(part.copy()) for part in games]
        nets, settings = self._cuda.to_device(self._nets), self._cuda.to_device(self._settings)
        states, memories, observations, rewards = games
        for t, taken in enumerate(actions):
            play_loop(states, memories, self._nets, self._settings, taken, observations, rewards)
            self._launch(self._play, num_envs)(
                *device[:2], nets, settings, self._cuda.to_device(taken), device[2], device[3]
            )
            found = [
                f"step {t + 1}, {name}: {len(wrong):,} games, the first is {wrong[0]}"
                for name, ours, theirs in zip(
                    ("states", "memories", "observations", "rewards"), games, device, strict=True
                )
                if len(wrong := _unequal(ours, theirs.copy_to_host()))
            ]
            if found:
                yield from found
                return

    def steps_per_s(self, num_envs: int, repeats: int) -> dict[str, float]:
        """Medians over episodes of all games, of both kernels and of one thread of the processor."""
        games, actions = self._begin(num_envs)
        begun = [self._cuda.to_device(part) for part in games]
        nets, settings, moves = (self._cuda.to_device(part) for part in (self._nets, self._settings, actions))
        states, memories, observations, rewards = games

        def fresh() -> list[Any]:
            for there, here in zip(begun, games, strict=True):
                there.copy_to_device(here)
            return begun

        def play() -> None:
            for t in range(len(actions)):
                self._launch(self._play, num_envs)(*begun[:2], nets, settings, moves[t], *begun[2:])
            self._cuda.synchronize()

        def play_episodes() -> None:
            self._launch(self._play_episodes, num_envs)(*begun[:2], nets, settings, moves, *begun[2:])
            self._cuda.synchronize()

        here = [part.copy() for part in games]

        def processor() -> None:
            for taken in actions:
                play_loop(here[0], here[1], self._nets, self._settings, taken, here[2], here[3])

        def fresh_here() -> None:
            for there, part in zip(here, games, strict=True):
                there[:] = part

        steps = actions.size
        return {
            "play": _rate(play, fresh, steps, repeats),
            "play_episodes": _rate(play_episodes, fresh, steps, repeats),
            "processor": _rate(processor, fresh_here, steps, min(repeats, 3)),
        }

    def _launch(self, kernel: Any, num_envs: int) -> Any:
        return kernel[-(-num_envs // THREADS_A_BLOCK), THREADS_A_BLOCK]

    def _begin(self, num_envs: int) -> tuple[tuple[Array, Array, Array, Array], Array]:
        """Games that have just begun (states, memories, observations, rewards), and their (T, B) actions."""
        states = plain(new_states(self._network, num_envs))
        reset_loop(states, self._initial, np.arange(self._seed, self._seed + num_envs, dtype=np.uint64))
        memories = plain(new_memories(self._network, num_envs))
        observations = np.zeros((num_envs, self._network.num_observations), np.uint8)
        shape = (self._options.max_steps, num_envs)
        actions = np.random.default_rng(self._seed).integers(0, len(self._network.codec), shape, dtype=np.int16)
        return (states, memories, observations, np.zeros(num_envs, np.float64)), actions


def _device() -> Any:
    """`numba.cuda`, where it has a device.

    Raises:
        UserError: there is none.
    """
    try:
        from numba import cuda

        cuda.get_current_device()
    except Exception as error:  # its own, the driver's, or that there is no such module
        why = " ".join(str(error).split()).partition(". ")[0] or type(error).__name__
        raise UserError(MISSING.format(why=why)) from error
    return cuda


def _unequal(ours: Array, theirs: Array) -> Array:
    """(N,) numbers of the games in which a byte differs; padding between fields counts for nothing."""
    if ours.dtype.names is None:
        return np.flatnonzero((ours != theirs).reshape(len(ours), -1).any(1))
    differs = np.zeros(len(ours), np.bool_)
    for name in ours.dtype.names:
        differs |= (ours[name] != theirs[name]).reshape(len(ours), -1).any(1)
    return np.flatnonzero(differs)


def _rate(run: Callable[[], None], prepare: Callable[[], Any], num_steps: int, repeats: int) -> float:
    """Steps a second, the median over repeats, after one that does not count."""
    rates = []
    for _ in range(repeats + 1):
        prepare()
        start = time.perf_counter()
        run()
        rates.append(num_steps / (time.perf_counter() - start))
    return statistics.median(rates[1:])
