import random
import sys
from types import ModuleType, SimpleNamespace

import pytest

from cageflow.parity.draws import ACTIONS, Draws, watch_draws
from cageflow.scenario import default_network


class HarakaRCE:
    """An exploit, as far as its name goes."""


class Selector:
    """Chooses what it is given."""

    def get_exploit_action(self, *, choice):
        return choice


class Exploit:
    """Opens as many sessions as it is told, the last of them seen or not."""

    agent = "Red"

    def sim_exploit(self, state, pids, seen):
        for pid in pids:
            state.sessions["Red"][len(state.sessions["Red"])] = SimpleNamespace(pid=pid, host="User1")
            if seen:
                state.hosts["User1"].events["NetworkConnections"].append({"pid": pid})
        return "observation"


@pytest.fixture
def original(monkeypatch):
    """Modules with the three places where CybORG draws."""
    parts = {
        "AbstractActions.ExploitRemoteService": {"DefaultExploitActionSelector": Selector},
        "ConcreteActions.ExploitAction": {"ExploitAction": Exploit},
        "AbstractActions.PrivilegeEscalate": {"choice": random.choice},
    }
    modules = {}
    for name, contents in parts.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, f"{ACTIONS}.{name}", module)
        modules[name.rpartition(".")[2]] = module
    return SimpleNamespace(**modules)


@pytest.fixture
def state():
    events = {"NetworkConnections": [{"local_port": 22}, {"pid": 5}]}
    old = SimpleNamespace(pid=5, host="User1")
    return SimpleNamespace(sessions={"Red": {0: old}}, hosts={"User1": SimpleNamespace(events=events)})


def test_watch_draws__notes_the_exploit_and_changes_nothing(original):
    choice = HarakaRCE()
    with watch_draws(default_network()) as draws:
        assert Selector().get_exploit_action(choice=choice) is choice
    assert draws == Draws(exploit=default_network().exploits.index("HarakaRCE"))


def test_watch_draws__no_exploit_is_none(original):
    with watch_draws(default_network()) as draws:
        assert Selector().get_exploit_action(choice=None) is None
    assert draws == Draws()


@pytest.mark.parametrize(("pids", "seen", "detected"), [([9], True, 1), ([9], False, 0), ([], True, -1)])
def test_watch_draws__a_shell_is_detected_if_its_process_is_among_the_events(original, state, pids, seen, detected):
    with watch_draws(default_network()) as draws:
        assert Exploit().sim_exploit(state, pids, seen=seen) == "observation"
    assert draws == Draws(detected=detected)


def test_watch_draws__notes_which_session_is_escalated(original):
    sessions = [object(), object(), object()]
    with watch_draws(default_network()) as draws:
        chosen = [original.PrivilegeEscalate.choice(sessions) is sessions[draws.escalate_session] for _ in range(20)]
    assert all(chosen)


def test_watch_draws__everything_is_as_before_afterwards_even_after_an_error(original):
    def places():
        return (Selector.get_exploit_action, Exploit.sim_exploit, original.PrivilegeEscalate.choice)

    before = places()
    with pytest.raises(RuntimeError), watch_draws(default_network()):
        assert all(now is not then for now, then in zip(places(), before, strict=True))
        raise RuntimeError
    assert places() == before


def test_forget__clears_all_outcomes():
    draws = Draws(exploit=3, detected=1, escalate_session=2)
    draws.forget()
    assert draws == Draws()
