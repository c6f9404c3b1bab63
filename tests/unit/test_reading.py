"""Text that anybody may have written: read as what it says, or refused in a sentence, at once."""

import contextlib
import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cageflow.reading import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_YAML_BYTES,
    TextError,
    parse_json,
    parse_rows,
    parse_yaml,
    read_text,
    read_yaml,
)

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH}"),
        ("a:\n" + "".join(" " * i + "a:\n" for i in range(1, 300)), f"nested deeper than {MAX_DEPTH}"),
        (BOMB, f"more than {MAX_NODES:,} values, its aliases written out"),
        ("a: &a [*a]", f"nested deeper than {MAX_DEPTH}, its aliases written out"),
        ("a: &a {<<: *a}", f"nested deeper than {MAX_DEPTH}, its aliases written out"),
        ("seed: " + "9" * 100_000, r"line 1: a number has 100,000 digits, more than 40"),
        ("seed: 0x" + "f" * 50_000, r"line 1: a number has 50,002 digits"),
        ("a: 1\nname: " + "n" * 5000, r"line 2: a text has 5,000 characters"),
        ("day: !!timestamp 2026-99-99", "got tag:yaml.org,2002:timestamp"),
        ("x: !!bool perhaps", r"expected YAML \("),
        ("x: !!int many", r"expected YAML \("),
        ("x: !!int ''", r"expected YAML \("),
        ("x: !!python/object/apply:os.getcwd []", "got tag:yaml.org,2002:python/object/apply:os.getcwd"),
        ("{[1]: 2}", "expected text as a key"),
        ("a: 1\na: 2", "line 2: expected each key once, got a again"),
        ("a: \x00", "is no text"),
        ("a: 1\n---\nb: 2", "found another document"),
    ],
)
def test_yaml__that_would_crash_hang_or_run_something_is_refused_at_once(text: str, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(TextError, match=words):
        parse_yaml(text)
    assert time.process_time() - begun < 5.0


def test_yaml__has_numbers_as_people_write_them_and_dates_as_text() -> None:
    content, root = parse_yaml(
        "rate: 1e-4\nwhole: 017\nday: 2026-99-99\nother: 2026-01-01\nbase: {x: [1.5, null, yes]}"
    )
    assert content == {
        "rate": 1e-4,
        "whole": 15,
        "day": "2026-99-99",
        "other": "2026-01-01",
        "base": {"x": [1.5, None, True]},
    }
    assert isinstance(root, yaml.MappingNode)
    assert parse_yaml("") == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH}"),
        ('{"a":' * 40 + "1" + "}" * 40, f"nested deeper than {MAX_DEPTH}"),
        ("[" + "9" * 4000 + "]", "a number has 4,000 digits, more than 40"),
        ("9" * 100_000, "a number has 100,000 digits"),
        ("{", "line 1: Expecting property name"),
    ],
)
def test_json__that_would_crash_is_refused(text: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        parse_json(text)


def test_json__is_read_as_deep_as_is_allowed() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert str(parse_json(text)) == text
    assert parse_json('{"a": [1, -2.5, null, true, "x"]}') == {"a": [1, -2.5, None, True, "x"]}


def test_rows__refuse_a_cell_without_end() -> None:
    with pytest.raises(TextError, match="field larger than field limit"):
        parse_rows('a,b\n"' + "x" * 200_000)


def test_file__is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="more than 10 bytes"):
        read_text(Path("/dev/zero"), 10)
    path = tmp_path / "sparse.yaml"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(TextError, match=f"more than {MAX_YAML_BYTES:,} bytes"):
        read_yaml(path)


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
    | st.text(alphabet="[]{}:,-&*a!|>'\"#%@? \n\t01.~<=", max_size=60)
)
@example("? ")
@example("!!set {a, b}")
@example("!<tag:yaml.org,2002:map> x")
@example("<<: [1]")
@example("<<: 1")
@example("1:1:1:1.0")
@example("._")
@example("=")
def test_any_text__is_read_or_refused(text: str) -> None:
    for parse in (parse_yaml, parse_json, parse_rows):
        with contextlib.suppress(TextError):
            parse(text)
