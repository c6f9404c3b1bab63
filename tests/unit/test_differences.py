"""The register of quirks names rules and tests that exist, and no rule names a quirk that it lacks."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTER = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
ENTRIES = re.split(r"^### (?=D-)", REGISTER, flags=re.MULTILINE)[1:]


def defined_in(path: Path) -> set[str]:
    return set(re.findall(r"^def (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_entries__are_numbered_one_by_one():
    assert [entry[:4] for entry in ENTRIES] == [f"D-{n:02}" for n in range(1, len(ENTRIES) + 1)]


def test_quirks_that_rules_name__are_in_the_register():
    named = set()
    for path in (ROOT / "src").rglob("*.py"):
        named |= set(re.findall(r"D-\d\d", path.read_text(encoding="utf-8")))
    assert named
    assert named <= {entry[:4] for entry in ENTRIES}


def test_tests_that_the_register_names__exist():
    checked = 0
    for entry in ENTRIES:
        for path, names in re.findall(r"`([\w/]+\.py)`((?: `\w+`,?)+)", "".join(re.findall("- Test: .*", entry))):
            defined = defined_in(ROOT / "tests" / path)
            for name in re.findall(r"`(\w+)`", names):
                assert any(one.startswith(name) for one in defined), f"{entry[:4]}: {path} defines no {name}..."
                checked += 1
    assert checked >= len(ENTRIES)


def test_every_quirk_that_is_kept__names_its_source_and_a_test():
    for entry in ENTRIES:
        if int(entry[2:4]) < 20:
            assert "- Source: `" in entry and "- Test: `" in entry, entry[:60]
