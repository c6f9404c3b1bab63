"""`cageflow report`: the page of a run, its files, what is refused, and how it looks in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command_line import cageflow
from tests.e2e.conftest import Run
from tests.helpers.browser import BROWSER_VARIABLE, Browser, find_browser, open_browser
from tests.helpers.html import read_page

SECTIONS = [
    "answer",
    "rules",
    "playbook",
    "reactions",
    "costs",
    "episodes",
    "departures",
    "orders",
    "positions",
    "compliance",
] + ["progress", "learning", "endings", "time", "repeat", "settings"]


@pytest.fixture(scope="session")
def reported(search_run: Run, plain_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a search with its report, held against plain PPO."""
    path = tmp_path_factory.mktemp("reported") / "search"
    shutil.copytree(search_run.path, path)
    outcome = cageflow("report", path, "--evaluation-episodes", 100, "--against", plain_run.path, "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["workflow"] == search_run.result["workflow"]
    assert outcome.json["feasible"] == search_run.result["feasible"]
    low, high = outcome.json["reward_interval"]
    assert low < outcome.json["reward"] < high
    return path


def test_page__is_sound_whole_and_opens_without_a_network(reported: Path, search_run: Run) -> None:
    text = (reported / "report.html").read_text()
    page = read_page(text)
    assert page.faults == []
    assert set(SECTIONS) <= set(page.ids)
    assert search_run.result["workflow"].replace(",", " → ") in page.text
    assert "Plain PPO (plain)" in page.text
    assert len(page.images) == 2 * len(list((reported / "report").glob("*.svg"))) + 1  # the map
    assert len(text) < 2_000_000


def test_charts__stand_beside_the_page_as_svg_and_png(reported: Path) -> None:
    files = list((reported / "report").iterdir())
    names = {path.stem for path in files if path.suffix == ".svg"}
    assert {"learning_curves", "all_orders", "positions", "progress", "actions_by_host", "returns"} <= names
    assert names == {path.stem for path in files if path.suffix == ".png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in files if path.suffix == ".png")


def test_page__is_made_again_from_the_playbook_and_is_the_same(reported: Path, tmp_path: Path, plain_run: Run) -> None:
    playbook = (reported / "playbook.json").read_bytes()
    outcome = cageflow(
        "report", reported, "--evaluation-episodes", 100, "--against", plain_run.path, "--out", tmp_path / "p.html"
    )
    assert (outcome.status, (reported / "playbook.json").read_bytes()) == (0, playbook)
    assert (tmp_path / "p.html").read_text() == (reported / "report.html").read_text()


def test_planted_faults_of_a_page__are_found(reported: Path) -> None:
    text = (reported / "report.html").read_text()
    faults = {
        '<img src="https://example.org/x.png" alt="x">': "leads out of the page",
        '<img src="data:,">': "img without words",
        "<script>1</script>": "a script",
        '<p id="answer">again</p>': "id answer stands twice",
        '<a href="#nowhere">x</a>': "names nowhere, which is not there",
        "<div>": "closes what is not open",
        '<svg role="img"></svg>': "svg without words",
    }
    for planted, fault in faults.items():
        assert any(fault in found for found in read_page(text.replace("</main>", f"{planted}</main>")).faults), planted


@pytest.mark.parametrize(
    ("kind", "without"),
    [
        ("plain", {"departures", "orders", "positions", "compliance", "progress", "endings"}),
        ("universal", {"compliance", "progress", "endings"}),
        ("curves", {"compliance", "positions"}),  # one training came to the furthest rung
    ],
)
def test_other_runs__have_the_sections_that_apply(
    kind: str, without: set[str], plain_run: Run, universal_run: Run, curves_run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    shutil.copytree({"plain": plain_run, "universal": universal_run, "curves": curves_run}[kind].path, path)
    outcome = cageflow("report", path, "--evaluation-episodes", 100)
    assert outcome.status == 0, outcome.err
    page = read_page((path / "report.html").read_text())
    assert page.faults == []
    assert set(SECTIONS) - set(page.ids) == without


def test_run_that_was_killed__is_reported_as_far_as_it_came(curves_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(curves_run.path, path)
    log = path / "gp_sampling_log.csv"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text(lines[0] + lines[1] + "7,torn")
    (path / "recommendation.json").unlink()  # written when a search ends
    first, *others = dict.fromkeys(line.split(",")[1].replace(">", "-") for line in lines[1:])
    best = path / "policies" / "best.safetensors"
    for order in (others[0], first):
        (policy,) = best.parent.glob(f"*{order}*.safetensors")
        shutil.copy(policy, best)
        outcome = cageflow("report", path, "--evaluation-episodes", 100)
        if order == first:
            assert outcome.status == 0, outcome.err
        else:
            assert "but the best in the log is" in outcome.err
    assert "was stopped before its end: the page shows the 1 trial that ended" in (path / "report.html").read_text()


def test_log_without_the_training_that_is_recommended__is_named(curves_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(curves_run.path, path)
    log = path / "gp_sampling_log.csv"
    of_it = "," + curves_run.result["workflow"].replace(",", ">") + ","
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if of_it not in line))
    outcome = cageflow("report", path, "--evaluation-episodes", 100)
    assert (outcome.status, "recommendation.json recommends training 1 of " in outcome.err) == (2, True)
    assert f"which is not at the furthest rung in {log}: put back" in outcome.err


@pytest.mark.parametrize(
    ("spoil", "arguments", "sentence"),
    [
        ("gone", (), "is no run folder: there is no such folder"),
        ("config.json", (), "is no run folder: config.json cannot be read"),
        ("gp_sampling_log.csv", (), "no trial has ended in"),
        ("policies", (), "the best policy of"),
        ("", ("--evaluation-episodes", 5), "--evaluation-episodes is 5: a playbook needs at least 100"),
        ("", ("--out", "nowhere/page.txt"), "--out is nowhere/page.txt: name a file that ends in .html"),
        ("", ("--against", "nowhere"), "nowhere is no run folder"),
    ],
)
def test_nonsense__is_one_sentence_and_exit_status_2(
    search_run: Run, tmp_path: Path, spoil: str, arguments: tuple[object, ...], sentence: str
) -> None:
    path = tmp_path / "run"
    shutil.copytree(search_run.path, path)
    if spoil == "gone":
        shutil.rmtree(path)
    elif spoil == "policies":
        (path / spoil / "best.safetensors").unlink()
    elif spoil:
        (path / spoil).unlink()
    outcome = cageflow("report", path, "--evaluation-episodes", 100, *arguments)
    assert outcome.status == 2
    assert outcome.err.splitlines()[-1].startswith("cageflow: ")
    assert sentence in outcome.err.splitlines()[-1]
    assert not (path / "report.html").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip(f"no Chromium was found: install one, or name it by {BROWSER_VARIABLE}")
    with open_browser(program) as opened:
        yield opened


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 701, 1200])
def test_page_in_a_browser__fits_asks_for_nothing_and_says_nothing(
    browser: Browser, reported: Path, width: int, dark: bool
) -> None:
    path = reported / "report.html"
    browser.open(path, width=width, dark=dark)
    assert browser.messages == []
    assert browser.requests == [path.resolve().as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    shown = browser.evaluate("[...document.querySelectorAll('figure svg')].filter(s => s.clientWidth > 0)"
                             ".map(s => s.getAttribute('class'))")  # fmt: skip
    assert set(shown) == {"narrow" if width <= 700 else "wide"}
    ground = browser.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 400, 701, 1200])
def test_table_that_goes_on_beyond_its_frame__says_so(browser: Browser, reported: Path, width: int) -> None:
    browser.open(reported / "report.html", width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    tables = browser.evaluate(
        "[...document.querySelectorAll('.scroll')].map(s => [s.getAttribute('aria-labelledby'), s.scrollWidth, "
        "s.clientWidth, (h => !!h && h.matches('.sideways') && h.clientHeight > 0)(s.previousElementSibling)])"
    )
    assert len(tables) > 10
    assert [one for one in tables if one[1] > one[2] and not one[3]] == []
    assert [one for one in tables if one[3] and one[1] < 0.8 * one[2]] == [], "and none does that is narrow"
    if width < 500:
        assert sum(one[3] for one in tables) > 3


@pytest.mark.browser
def test_navigation__names_a_group_once(browser: Browser, reported: Path) -> None:
    for width in (360, 1200):
        browser.open(reported / "report.html", width=width)
        assert browser.evaluate("[...document.querySelectorAll('nav span')].map(s => s.textContent)") == [
            *("Answer", "Playbook", "Orders", "Training", "Run")
        ]
        assert browser.evaluate("document.querySelector('nav').textContent.match(/Playbook/g).length") == 1
        assert browser.evaluate(
            "[...document.querySelectorAll('nav a')].every(a => a.getBoundingClientRect().height > 0)"
        )


@pytest.mark.browser
def test_letters_of_charts__can_be_read_in_a_narrow_window(browser: Browser, reported: Path) -> None:
    browser.open(reported / "report.html", width=400)
    smallest = browser.evaluate(
        "Math.min(...[...document.querySelectorAll('svg.narrow')].flatMap(s => [...s.querySelectorAll('text')].map("
        "t => parseFloat(getComputedStyle(t).fontSize) * s.getBoundingClientRect().width / s.viewBox.baseVal.width)))"
    )
    assert smallest >= 9


@pytest.mark.browser
def test_printed_page__is_light_whole_and_has_no_navigation(browser: Browser, reported: Path, tmp_path: Path) -> None:
    browser.open(reported / "report.html", width=800, dark=True, media="print")
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    browser.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.browser
def test_planted_faults__are_seen_by_the_browser(browser: Browser, reported: Path, tmp_path: Path) -> None:
    text = (reported / "report.html").read_text()
    wide = text.replace("</main>", '<div style="width: 3000px">x</div></main>')
    (tmp_path / "wide.html").write_text(wide)
    browser.open(tmp_path / "wide.html", width=400)
    assert browser.evaluate("document.documentElement.scrollWidth") > 400
    (tmp_path / "loud.html").write_text(text.replace("</main>", "<script>console.log(1)</script></main>"))
    browser.open(tmp_path / "loud.html", width=400)
    assert browser.messages  # the page's own policy forbids other scripts than its own, and the browser says so
