"""`CITATION.cff` has the form of version 1.2.0 and says what the package says."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cageflow.report.citing import bibtex

ROOT = Path(__file__).parents[2]
NEEDED = {"cff-version", "message", "title", "authors"}
KNOWN = NEEDED | {"abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license"}
KNOWN |= {"license-url", "preferred-citation", "references", "repository", "repository-artifact", "repository-code"}
KNOWN |= {"type", "url", "version"}
IN_A_REFERENCE = {"authors", "identifiers", "journal", "notes", "title", "type", "url", "year"}
"""Of the some fifty keys that a reference may have, those that ours have."""


def faults(text: str) -> list[str]:
    """What is wrong with a citation file; see the schema of the Citation File Format, 1.2.0."""
    data: dict[str, Any] = yaml.load(text, yaml.BaseLoader)  # all as text: a version is no number
    found = [f"{name} is missing" for name in sorted(NEEDED - set(data))]
    found += [f"{name} is unknown" for name in sorted(set(data) - KNOWN)]
    if data.get("cff-version") != "1.2.0":
        found.append("another form")
    if data.get("type") not in ("software", "dataset"):
        found.append("neither software nor a dataset")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", data.get("date-released", "")):
        found.append("date-released is no date")
    for one in [data, *data.get("references", [])]:
        for author in one.get("authors", []):
            if not (author.keys() == {"name"} or {"family-names"} <= author.keys() <= {"family-names", "given-names"}):
                found.append(f"{author} is neither a person nor an entity")
    for one in data.get("references", []):
        if not ({"authors", "title", "type"} <= one.keys() <= IN_A_REFERENCE):
            found.append(f"{one.get('title')} has other keys than a reference's")
    return found


def test_citation__is_sound_and_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    data = yaml.load(text, yaml.BaseLoader)
    assert faults(text) == []
    assert (data["version"], data["license"]) == (project["version"], project["license"])
    assert data["authors"] == project["authors"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cff-version: 1.2.0", "cff-version: 1.3.0"),
        ("message:", "massage:"),
        ("type: software\ntitle", "type: program\ntitle"),
        ("  - name: The", "  - nom: The"),
        ("    title: On Autonomous", "    titre: On Autonomous"),
    ],
)
def test_planted_fault__is_found(old: str, new: str) -> None:
    text = (ROOT / "CITATION.cff").read_text()
    assert text.count(old) == 1
    assert faults(text.replace(old, new))


def test_changelog__tells_of_this_version_or_what_is_to_be_released() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert version in headings
    for name in headings:
        assert name == "Unreleased" or re.fullmatch(r"\d+\.\d+\.\d+", name)


def test_report__cites_as_the_citation_file_does() -> None:
    data = yaml.load((ROOT / "CITATION.cff").read_text(), yaml.BaseLoader)
    entry = bibtex(data["version"])
    for words in (data["title"], data["authors"][0]["name"], data["version"], data["date-released"][:4]):
        assert f"{{{words}}}" in entry
