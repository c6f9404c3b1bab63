"""A `.py` without a name after it is answered with how to name what is in it, and is not run to find out."""

from pathlib import Path

import pytest

from cageflow.agents.foreign.names import name_an_agent
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.errors import UserError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "open('ran', 'w')\ndef f(o): 0\nclass B: 0\nclass A:\n  def predict(self, o): 0",
            "agents.py:A; in it are A, B, f.",
        ),
        ("x = 1", "agents.py:ClassName; there is no class and no function in it."),
        ("class", "it cannot be read as Python."),
        ("(" * 10_000, "it cannot be read as Python."),
    ],
)
def test_python_file__is_told_how_to_be_named(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("agents.py").write_text(text)
    with pytest.raises(UserError) as refusal:
        find_agent("agents.py", SourceOptions())
    assert str(refusal.value).endswith(words)
    assert not Path("ran").exists()


def test_what_is_no_text__is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "agents.py"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as Python" in name_an_agent(path)
