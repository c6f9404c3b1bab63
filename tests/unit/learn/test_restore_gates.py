"""Gates: which Restores are closed, and when."""

from cageflow.learn.restore_gates import restore_gates
from cageflow.learn.wiring import Bits
from tests.helpers.agents import NETWORK
from tests.helpers.wired import said

GATES = restore_gates(NETWORK)


def closed_by(*names: str) -> list[str]:
    """Restores that are closed where these bits are set."""
    return said(GATES, *map(Bits(NETWORK).recalled, names))


def test_gates__close_a_second_restore_beside_reds_first_host_and_two_in_succession_elsewhere() -> None:
    assert GATES.push < -30
    assert closed_by("restored User3", "restored Enterprise1") == ["RESTORE User3"]
    assert closed_by("last action RESTORE", "last action Enterprise1") == ["RESTORE Enterprise1"]
    assert closed_by("last action RESTORE", "last action User2", "restored User2") == ["RESTORE User2"]
    assert closed_by("last action REMOVE", "last action Enterprise1", "touched Op_Server0") == []
