"""The documents as a site: every page has its place in it, and every link and name leads somewhere."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.browser import BROWSER_VARIABLE, find_browser, open_browser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOTEBOOKS = {f"notebooks/{path.stem}.md" for path in (DOCS / "notebooks").glob("*.ipynb")}
BESIDE = {"changelog.md", "contributing.md", "security.md", *NOTEBOOKS}
"""Pages that `tools/site_pages.py` adds: their files stand beside the folder, or are no Markdown."""
SEARCH = """(q => {
    const open = document.querySelector('#__search');
    open.checked = true;
    open.dispatchEvent(new Event('change', {bubbles: true}));
    q.focus();
    q.value = 'compliance';
    q.dispatchEvent(new Event('input', {bubbles: true}));
    q.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true, key: 'e'}));
})(document.querySelector('.md-search__input'))"""
"""Types a word into the search of the site."""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def pages_of(nav: Any) -> Iterator[str]:
    """The pages of a navigation, in its order."""
    if isinstance(nav, str):
        yield nav
    else:
        for one in nav.values() if isinstance(nav, dict) else nav:
            yield from pages_of(one)


def anchors(text: str) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them and the site too."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(path: Path, text: str) -> list[str]:
    """Links of a page, outside code, that lead to no file or to no heading of one."""
    prose = re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    wrong = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", prose):
        if "://" in target:
            continue
        file = path.parent / target
        is_there = not target or file.exists()
        if not is_there or (anchor and anchor not in anchors(file.read_text() if target else text)):
            wrong.append(f"{path.name}: {target}#{anchor}")
    return wrong


def test_navigation__has_every_page_once() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    pages = list(pages_of(settings["nav"]))
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert set(pages) - BESIDE == there, "a page of docs/ needs a line under nav in mkdocs.yml"
    assert len(pages) == len(set(pages))
    assert set(pages) >= BESIDE
    assert list(pages_of([{"a": "x.md"}, {"b": ["y.md", {"c": "z.md"}]}])) == ["x.md", "y.md", "z.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_page__lead_to_a_page_and_to_a_heading_of_it(path: Path) -> None:
    assert broken_links(path, path.read_text()) == []


def test_planted_links__are_found() -> None:
    page = DOCS / "page.md"
    for link in ("[x](nowhere.md)", "[x](search.md#nowhere)", "[x](#nowhere)"):
        assert broken_links(page, f"# Here\n\n{link}\n")
    assert broken_links(page, "# Here it is\n\n[x](#here-it-is), [y](files.md#a-run-folder), `[z](nowhere.md)`\n") == []


def test_names_of_the_reference__are_there_and_documented() -> None:
    names = [
        name for path in (DOCS / "api").glob("*.md") for name in re.findall(r"^::: (\S+)$", path.read_text(), re.M)
    ]
    assert len(names) > 20
    for name in names:
        found = resolve(name)
        assert (found.__doc__ or "").strip(), f"{name} says nothing of itself"
    with pytest.raises(AttributeError):
        resolve("cageflow.envs.single.Cage3Env")


def resolve(name: str) -> Any:
    """What a dotted name of the package means."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def lists_without_a_line_before(text: str) -> list[str]:
    """Beginnings of lists and tables that the site would take for a paragraph's next line, as GitHub does not."""
    lines = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    item, table = re.compile(r"(- |\d+\. )"), re.compile(r"\|")
    return [
        line
        for before, line in zip(lines, lines[1:], strict=False)
        for kind in (item, table)
        if kind.match(line) and before.strip() and not kind.match(before) and not before.startswith(("#", " ", "-"))
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_lists_and_tables__are_read_as_such_by_the_site_too(path: Path) -> None:
    assert lists_without_a_line_before(path.read_text()) == []


def test_planted_list__is_found() -> None:
    assert lists_without_a_line_before("A sentence:\n- one\n- two\n") == ["- one"]
    assert lists_without_a_line_before("A sentence:\n| a | b |\n") == ["| a | b |"]
    assert lists_without_a_line_before("A sentence:\n\n- one\n  goes on\n- two\n\n    code\n") == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. A warning ends its making: see `strict` in `mkdocs.yml`."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def test_site__is_built_without_a_warning_and_has_a_search_and_a_reference(site: Path) -> None:
    pages = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    named = {page.replace("README.md", "index.md").removesuffix(".md") + ".html" for page in pages_of(nav)}
    assert named <= pages
    index = (site / "search" / "search_index.json").read_text()
    assert "Workflows and compliance" in index and "Cage2VectorEnv" in index
    reference = (site / "api" / "environments.html").read_text()
    assert 'id="cageflow.envs.single.Cage2Env"' in reference and "action_masks" in reference


def test_notebooks_of_the_site__show_their_figures_and_their_words(site: Path) -> None:
    page = (site / "notebooks" / "reading_a_run.html").read_text()
    assert 'src="data:image/png;base64,' in page and "behind the first" in page
    assert 'href="reading_a_run.ipynb"' in page and (site / "notebooks" / "reading_a_run.ipynb").exists()
    assert 'href="notebooks/first_search.html"' in (site / "notebooks.html").read_text()


def test_links__are_called_as_the_pages_are(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not re.search(r"<a [^>]*>[\w-]+\.md</a>", path.read_text()), path.name


def test_pages_of_the_site__ask_for_nothing_from_elsewhere(site: Path) -> None:
    asking = re.compile(r'<(?:script|img|iframe|source)[^>]*src="https?:|<link[^>]*href="https?:')
    for path in site.rglob("*.html"):
        assert not asking.search(path.read_text()), path.name
    assert asking.search('<script src="https://unpkg.com/x">') and not asking.search('<a href="https://x.org">')


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)], ids=["desktop", "dark phone"])
def test_site_in_a_browser__fits_is_searched_and_says_nothing(site: Path, width: int, dark: bool) -> None:
    program = find_browser()
    if program is None:
        pytest.skip(f"no Chromium was found: install one, or name it by {BROWSER_VARIABLE}")
    with open_browser(program) as browser:
        for name in ("index.html", "which-page.html", "commands.html", "networks/plant.html", "api/agents.html"):
            browser.open(site / name, width=width, dark=dark)
            assert browser.messages == [], name
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, name
            assert not [address for address in browser.requests if not address.startswith(("file:", "blob:", "data:"))]
        browser.open(site / "index.html", width=width, dark=dark)
        browser.evaluate(SEARCH)
        found = "document.querySelectorAll('.md-search-result__item').length"
        until = time.monotonic() + 30
        while not browser.evaluate(found) and time.monotonic() < until:
            time.sleep(0.2)
        assert browser.evaluate(found) > 3
