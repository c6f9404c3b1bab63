"""Changes of Numba: once a process, and of known versions only."""

import numba
import pytest

from cageflow.numerics.patching import patch_once


@pytest.mark.parametrize(("versions", "times"), [((), 1), (("0.",), 1), (("0.9.", "99."), 0)])
def test_patch__is_made_once_and_of_known_versions(
    monkeypatch: pytest.MonkeyPatch, versions: tuple[str, ...], times: int
) -> None:
    monkeypatch.setattr(numba, "__version__", "0.68.1")
    made = []

    @patch_once(*versions)
    def change() -> None:
        made.append(1)

    change()
    change()
    assert len(made) == times
