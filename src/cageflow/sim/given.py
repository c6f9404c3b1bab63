"""How the caller's choice for red reaches the environments, where red is `RedAgent.GIVEN`."""

from numba import njit


@njit(cache=True, nogil=True)
def give_loop(states, kinds, targets, actions):
    """Write what red is to do in the next step; where its last action is still under way, that goes on instead.

    Args:
        states: (B,) environments; `red_kind` and `red_target` are written.
        kinds: (R,) int8 of `RedCodec`.
        targets: (R,) int8 likewise.
        actions: (B,) integers, 0 <= action < R; not checked here.
    """
    for i in range(states.shape[0]):
        if states[i].red_left == 0:
            states[i].red_kind = kinds[actions[i]]
            states[i].red_target = targets[actions[i]]
