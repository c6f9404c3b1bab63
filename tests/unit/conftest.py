"""What unit tests of this process are not to see."""

import pytest


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process of the tests that compiles meanwhile is none of ours, but where a test is about just that."""
    if request.module.__name__.rpartition(".")[2] != "test_compiling_once":
        monkeypatch.setattr("cageflow.numerics.compiling.compiled_elsewhere", lambda: None)
