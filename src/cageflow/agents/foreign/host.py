"""What runs in the process of an agent: it takes messages, asks the agent, and gives its answers.

Nothing of the game is imported here. An agent that walks up the stack finds this loop and what it was shown.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time

import numpy as np

from cageflow.agents.foreign import wire
from cageflow.agents.foreign.kinds import ForeignPlayer, load_player
from cageflow.errors import UserError
from cageflow.foreign_code import describe

_LOOK_S = 1.0  # between looks at whether the game is still there


def main() -> None:
    """Serve the pipes whose descriptors are the arguments, until the game closes its end."""
    request, answer = (int(text) for text in sys.argv[1:3])
    del sys.argv[1:]
    for descriptor in (request, answer):
        os.set_inheritable(descriptor, False)
    threading.Thread(target=_end_with_game, args=(os.getppid(),), daemon=True).start()
    player: ForeignPlayer | None = None
    with os.fdopen(request, "rb") as requests, os.fdopen(answer, "wb") as answers:
        while header := requests.read(wire.HEADER.size):
            kind, length = wire.HEADER.unpack(header)
            content = requests.read(length)
            try:
                if kind == wire.LOAD:
                    player = load_player(wire.from_text(content))
                    about = {"max_envs": player.max_envs, "wants_masks": player.wants_masks}
                    message = wire.LOADED, wire.to_text(about)
                elif player is None:
                    raise UserError("was asked before it was loaded.")
                elif kind == wire.RESET:
                    seeds = np.frombuffer(content, np.uint64)
                    _seed(int(seeds[0]))
                    message = wire.DONE, b""
                    player.reset(seeds)
                else:
                    actions = player.act(wire.Shown.from_bytes(content))
                    message = wire.ACTIONS, np.asarray(actions, np.int64).tobytes()
            except UserError as error:
                message = wire.FAULT, str(error).encode("utf-8", "replace")
            except BaseException as error:
                message = wire.FAULT, f"failed: {describe(error)}.".encode("utf-8", "replace")
            sys.stdout.flush()  # before the answer, so that it comes out in order
            answers.write(wire.HEADER.pack(message[0], len(message[1])) + message[1])
            answers.flush()


def _seed(seed: int) -> None:
    """Seed the generators that agents draw from, so that a seed repeats an evaluation."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what such agents use
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed % 2**63)


def _end_with_game(game: int) -> None:
    """End this process when the game has ended, whatever the agent is doing: nobody else would."""
    while os.getppid() == game:
        time.sleep(_LOOK_S)
    os._exit(1)
