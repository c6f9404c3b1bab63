"""The chance of a learner: the numbers of PyTorch's generator on the CPU, without PyTorch.

Both are the Mersenne Twister (Matsumoto & Nishimura 1998), which NumPy has too.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_HALF_WORD = np.uint64(32)
_DOUBLE_BITS = np.uint64((1 << 53) - 1)


class Generator:
    """A stream of chance that can be saved.

    Args:
        seed: decides it; as in PyTorch, its lowest 32 bits alone.
    """

    def __init__(self, seed: int) -> None:
        self._twister = np.random.MT19937()
        state: Any = np.random.RandomState(seed & 0xFFFF_FFFF).get_state(legacy=False)
        self._twister.state = state

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """(count,) float64 in [0, 1), multiples of 2**-53: `torch.randint(1 << 53, ...)` in other units."""
        high, low = self._twister.random_raw(2 * count).reshape(count, 2).T
        return ((high << _HALF_WORD | low) & _DOUBLE_BITS).astype(np.float64) * 2.0**-53

    def permutation(self, count: int) -> NDArray[np.int64]:
        """(count,) int64, the numbers from 0 on in some order: `torch.randperm`."""
        order = np.arange(count)
        _shuffle(self._twister.random_raw(max(0, count - 1)), order)
        return order

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs, a copy."""
        state = self._twister.state["state"]
        return {"key": state["key"].copy(), "position": int(state["pos"])}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            ValueError: it is none.
        """
        key, position = np.asarray(state["key"]), int(state["position"])
        if key.shape != (624,) or key.dtype != np.uint32 or not 0 <= position <= key.size:
            raise ValueError("expected the 624 words of a generator and a place among them")
        self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}


@njit(cache=True, nogil=True)
def _shuffle(raw: NDArray[np.uint64], order: NDArray[np.int64]) -> None:
    """Fisher and Yates's shuffle from the front, by a number of 32 bits for each place but the last."""
    for i in range(raw.shape[0]):
        other = i + np.int64(raw[i]) % (order.shape[0] - i)
        order[i], order[other] = order[other], order[i]
