"""What CybORG draws within a step, noted while it runs.

Three draws of red decide how a step goes on, and none of them can be told from the state alone. While `watch_draws` is
open, the methods that draw are wrapped: they do what they did, and their outcome is noted. Afterwards they are as
before.
"""

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cageflow.scenario import Network

ACTIONS = "CybORG.Shared.Actions"


@dataclass
class Draws:
    """The outcomes of one step; -1 where nothing was drawn.

    Attributes:
        exploit: index of the exploit that ExploitRemoteService chose.
        detected: 1 if the connection of a new reverse shell was seen, 0 if it was missed.
        escalate_session: position, oldest first, of the session that PrivilegeEscalate chose among those on its host.
    """

    exploit: int = -1
    detected: int = -1
    escalate_session: int = -1

    def forget(self) -> None:
        """Begin another step."""
        self.exploit = self.detected = self.escalate_session = -1


@contextmanager
def watch_draws(network: Network) -> Iterator[Draws]:
    """Note the draws of the CybORG that this process has imported, until the block ends."""
    draws = Draws()
    exploits = network.exploits
    selector = importlib.import_module(f"{ACTIONS}.AbstractActions.ExploitRemoteService").DefaultExploitActionSelector
    exploit_action = importlib.import_module(f"{ACTIONS}.ConcreteActions.ExploitAction").ExploitAction
    escalation = importlib.import_module(f"{ACTIONS}.AbstractActions.PrivilegeEscalate")
    select, run_exploit, choose = selector.get_exploit_action, exploit_action.sim_exploit, escalation.choice

    def note_exploit(*args: Any, **kwargs: Any) -> Any:
        action = select(*args, **kwargs)
        if action is not None:
            draws.exploit = exploits.index(type(action).__name__)
        return action

    def note_detection(action: Any, state: Any, *args: Any, **kwargs: Any) -> Any:
        sessions = state.sessions[action.agent]
        before = set(sessions)
        observation = run_exploit(action, state, *args, **kwargs)
        for session in [sessions[ident] for ident in sessions if ident not in before]:
            events = state.hosts[session.host].events["NetworkConnections"]
            draws.detected = int(any(event.get("pid") == session.pid for event in events))
        return observation

    def note_session(sessions: list[Any]) -> Any:
        session = choose(sessions)
        draws.escalate_session = sessions.index(session)
        return session

    with ExitStack() as stack:
        stack.enter_context(_replaced(selector, "get_exploit_action", note_exploit))
        stack.enter_context(_replaced(exploit_action, "sim_exploit", note_detection))
        stack.enter_context(_replaced(escalation, "choice", note_session))
        yield draws


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)
