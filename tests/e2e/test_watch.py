"""`cageflow watch` and `play --html`: the page in a real browser says what the episode was, by keys and by fingers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.agents.player import agent_seed
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.analysis.replay import Replay
from cageflow.analysis.replaying import replay_episodes
from cageflow.analysis.traces import trace_episodes
from cageflow.analysis.turns import find_turns
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.report.watch.data import watch_data
from cageflow.report.watch.page import write_page
from cageflow.scenario import Network, default_network
from cageflow.scenario.generating import generate_network
from cageflow.scenario.named import load_network
from tests.e2e.command_line import cageflow
from tests.helpers.browser import BROWSER_VARIABLE, Browser, find_browser, open_browser
from tests.helpers.html import read_page
from tests.helpers.made_networks import NASTY
from tests.helpers.made_replays import made_replay

ORDER = "user,op_server,enterprise,op_host,defender"
OPTIONS = GameOptions("meander", green=True, max_steps=40)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip(f"no Chromium was found: install one, or name it by {BROWSER_VARIABLE}")
    with open_browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes of a champion that follows an order, judged by another, so that some of its fixes depart."""
    path = tmp_path_factory.mktemp("watch") / "new" / "page.html"
    asked = ("--red-agent", "meander", "--green", "--max-steps", 40, "--seed", 2, "--episodes", 2, "--workflow", ORDER)
    outcome = cageflow("watch", "champion-ordered", *asked, "--out", path, "--json")
    assert outcome.status == 0, outcome.err
    assert [one["seed"] for one in outcome.json["episodes"]] == [2, 3]
    assert outcome.json["page"] == str(path)
    return path


@pytest.fixture(scope="module")
def replay() -> Replay:
    """The first of them."""
    source = find_agent("champion-ordered", SourceOptions(order=ORDER))
    (one,) = replay_episodes(
        source.load(OPTIONS.blue_setting),
        OPTIONS,
        np.array([2], np.uint64),
        source.workflow,
        titles=["Seed 2"],
        agent_seeds=agent_seed(2),
    )
    return one


def text(browser: Browser, name: str) -> str:
    """The words of a part of the player."""
    found: str = browser.evaluate(f"document.querySelector('.w-{name}').textContent")
    return found


def lines(browser: Browser, name: str) -> list[str]:
    found: list[str] = browser.evaluate(f"[...document.querySelectorAll('.w-{name} > li')].map(n => n.textContent)")
    return found


def press(browser: Browser, key: str, shift: bool = False) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 if shift else 0)


def points(value: float) -> str:
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "\N{MINUS SIGN}")


def test_page__is_sound_and_the_same_again(page: Path, tmp_path: Path) -> None:
    content = page.read_text()
    assert read_page(content).faults == []
    assert len(content) < 300_000
    asked = ("--red-agent", "meander", "--green", "--max-steps", 40, "--seed", 2, "--episodes", 2, "--workflow", ORDER)
    outcome = cageflow("watch", "champion-ordered", *asked, "--out", tmp_path / "again.html")
    assert outcome.status == 0 and "2 episodes" in outcome.out
    assert (tmp_path / "again.html").read_text() == content


@pytest.mark.browser
def test_every_step__says_what_the_traces_and_the_turns_say(browser: Browser, page: Path, replay: Replay) -> None:
    source = find_agent("champion-ordered", SourceOptions(order=ORDER))
    assert source.workflow is not None

    class SameChance:
        """The agent of the command, whose chance is another than that of the traces."""

        max_envs = None
        agent = source.load(OPTIONS.blue_setting)

        def reset(self, seeds: np.ndarray) -> None:
            self.agent.reset(agent_seed(2))

        def act(self, view: Any) -> Any:
            return self.agent.act(view)

    (trace,) = trace_episodes(SameChance(), OPTIONS, np.array([2], np.uint64), source.workflow)
    network = OPTIONS.network
    turns = find_turns(network, trace, source.workflow.order, 0, 100)
    departures = {one.step: one for kind in turns.examples.values() for one in kind}
    assert departures
    browser.open(page, width=1300)
    total = 0.0
    for t in range(40):
        press(browser, "ArrowRight")
        step = replay.steps[t]
        assert (text(browser, "number"), text(browser, "of")) == (f"Step {t + 1}", "of 40")
        total += trace.rewards[t, 0]
        assert (text(browser, "reward"), text(browser, "total")) == (points(trace.rewards[t, 0]), points(total))
        assert text(browser, "blue-does") == network.codec.names[trace.actions[t, 0]]
        assert text(browser, "red-does") == step.red
        assert text(browser, "red-badge") == {None: "", True: "worked", False: "failed"}[step.red_success]
        levels = {Access.USER: "user", Access.PRIVILEGED: "privileged"}
        access = zip(network.hosts, trace.access[t + 1, 0].tolist(), strict=True)
        held = [f"{host} ({levels[Access(level)]})" for host, level in access if level]
        (shown,) = [line for line in lines(browser, "sight") if line.startswith("Red holds")]
        assert shown.removeprefix("Red holds ").replace(" and ", ", ").split(", ") == held
        verdict = text(browser, "verdict")
        if t + 1 in departures:
            departs = departures[t + 1]
            assert verdict.startswith(f"The fix departs from the order: {departs.due} was due (red held ")
            assert all(
                host in verdict for host in departs.held if network.scenario.hosts[host].unit_type == departs.due
            )
        else:
            assert verdict.startswith("The fix follows" if trace.verdicts[t, 0] >= 0 else "No fix was begun")
        costs = [line.rpartition("\N{MINUS SIGN}")[2] for line in lines(browser, "causes")]
        assert sum(map(float, costs)) == pytest.approx(-trace.rewards[t, 0])
        shares = lines(browser, "policy")
        assert len(shares) in (5, 6) and sum("(chosen)" in line for line in shares) == 1
        assert all(line.startswith(name) for line, (name, _) in zip(shares, step.likeliest, strict=False))
    assert browser.messages == []
    assert browser.requests == [page.resolve().as_uri()]


@pytest.mark.browser
def test_keys_buttons_slider_and_episodes__lead_where_they_say(browser: Browser, page: Path) -> None:
    browser.open(page, width=1300)
    assert text(browser, "number") == "Start"

    def after(*keys: str, shift: bool = False) -> str:
        for key in keys:
            press(browser, key, shift)
        return text(browser, "number")

    assert after("ArrowRight", "ArrowRight") == "Step 2"
    assert after("ArrowLeft", "ArrowLeft", "ArrowLeft") == "Start"
    assert after("ArrowRight", shift=True) == "Step 10"
    assert after("End") == "Step 40" and after("ArrowRight") == "Step 40"
    assert after("Home") == "Start"
    browser.evaluate("document.querySelector('.w-slider').focus()")
    assert after("ArrowRight") == "Step 1"  # once, though the slider would move by itself too
    assert browser.evaluate("document.querySelector('.w-slider').getAttribute('aria-valuetext')").startswith("Step 1,")
    event = after("n")
    assert event not in ("Start", "Step 1") and after("p") != event
    browser.evaluate("document.querySelector('.w-on').click()")
    browser.evaluate("document.querySelector('.w-event').click()")
    browser.evaluate("document.querySelector('.w-back').click()")
    assert text(browser, "live").startswith(text(browser, "number"))  # what a screen reader is told
    browser.evaluate(
        "const s = document.querySelector('.w-speed'); s.value = '5'; s.dispatchEvent(new Event('change'))"
    )
    press(browser, "Home")
    browser.evaluate("document.activeElement.blur()")
    press(browser, " ")
    assert browser.evaluate("document.querySelector('.w-play').getAttribute('aria-label')") == "Pause"
    browser.evaluate("new Promise(done => setTimeout(done, 900))")
    press(browser, " ")
    assert text(browser, "number") not in ("Start", "Step 1")
    titles = browser.evaluate("[...document.querySelector('.w-episode').options].map(o => o.textContent)")
    assert [title.partition(" (")[0] for title in titles] == ["Seed 2", "Seed 3"]
    browser.evaluate(
        "(s => {s.value = '1'; s.dispatchEvent(new Event('change'))})(document.querySelector('.w-episode'))"
    )
    assert (text(browser, "number"), text(browser, "seed")) == ("Start", "seed 3")
    assert browser.messages == []


@pytest.mark.browser
def test_fingers__swipe_through_steps_and_tap_hosts(browser: Browser, page: Path) -> None:
    browser.open(page, width=390, height=844)
    swipe = (
        "document.querySelector('.w-map').dispatchEvent("
        "new PointerEvent('pointer{}', {{pointerType: 'touch', clientX: {}, clientY: {}}}))"
    )
    for kind, x in (("down", 300), ("up", 180)):
        browser.evaluate(swipe.format(kind, x, 400))
    assert text(browser, "number") == "Step 1"
    for kind, y in (("down", 300), ("up", 500)):
        browser.evaluate(swipe.format(kind, 200, y))  # that scrolls
    assert text(browser, "number") == "Step 1"
    browser.evaluate("document.querySelector('.w-card').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert text(browser, "host-name") == "Defender"
    assert [line.partition(":")[0] for line in lines(browser, "host")][:3] == [
        "defender, worth 0.1",
        "truth",
        "blue sees",
    ]
    browser.evaluate("document.querySelector('.w-hosts summary').click()")
    browser.evaluate("new Promise(done => setTimeout(done, 100))")
    rows = browser.evaluate(
        "[...document.querySelectorAll('.w-rows tr')].map(r => [...r.children].map(c => c.textContent))"
    )
    assert [row[0] for row in rows] == list(OPTIONS.network.hosts)
    assert rows[8][5] == "1 privileged session"
    assert (
        min(browser.evaluate("[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().height)"))
        >= 44
    )
    assert browser.messages == []


OPEN_TABLE = """new Promise(done => {
  document.querySelector('.w-hosts').addEventListener('toggle', () => setTimeout(done, 0));
  document.querySelector('.w-hosts summary').click();
})"""
MEASURE = """(() => {
  const map = document.querySelector('.w-svg').getBoundingClientRect();
  const cards = [...document.querySelectorAll('.w-frame')].map(c => c.getBoundingClientRect());
  const scale = map.width / document.querySelector('.w-svg').viewBox.baseVal.width;
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth, cards: cards.length,
    letters: Math.min(...[...document.querySelectorAll('.w-name, .w-kind, .w-truth')].map(
      t => parseFloat(getComputedStyle(t).fontSize) * scale)),
    outside: cards.filter(c => c.left < map.left - 1 || c.right > map.right + 1 || c.bottom > map.bottom + 1).length,
    spilt: [...document.querySelectorAll('.w-card')].filter(c => [...c.querySelectorAll('text')].some(
      t => t.getBoundingClientRect().right > c.querySelector('.w-frame').getBoundingClientRect().right + 1)).length,
  };
})()"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pages of 40 and of 63 hosts on which everything happens at once."""
    made = Network(generate_network(63, 9, 8, 4))
    pages = []
    for network in (load_network("campus"), made):
        data = watch_data(network, [made_replay(network, 30)], network.orders.unrank(0), green=True, alone=True)
        path = tmp_path_factory.mktemp("large") / "page.html"
        write_page(path, data, network.scenario.name, ["made up"])
        pages.append(path)
    return pages


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1300])
def test_large_networks__fit_every_window_and_can_be_read(
    browser: Browser, large: list[Path], width: int, dark: bool
) -> None:
    for page, num_hosts in zip(large, (40, 63), strict=True):
        browser.open(page, width=width, height=900, dark=dark)
        press(browser, "End")
        found = browser.evaluate(MEASURE)
        assert (found["overflow"], found["outside"], found["spilt"], found["cards"]) == (0, 0, 0, num_hosts)
        assert found["letters"] >= 9.0
        ground = browser.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
        assert browser.messages == [] and browser.requests == [page.resolve().as_uri()]


@pytest.mark.browser
def test_planted_faults__are_seen_by_the_browser(
    browser: Browser, page: Path, large: list[Path], tmp_path: Path
) -> None:
    content = large[0].read_text()
    fault = tmp_path / "fault.html"
    fault.write_text(
        content.replace('"cards":[[', '"cards":[[9999,0,98,84],[')
    )  # every host stands where another should
    browser.open(fault, width=1300)
    assert browser.evaluate(MEASURE)["outside"] > 0
    fault.write_text(page.read_text().replace('"use strict"', '"use sloppy"'))
    browser.open(fault, width=1300)
    assert browser.messages and text(browser, "number") == ""  # the page's policy names its own script and no other
    fault.write_text(page.read_text().replace('"blue":"', '"blue":"Not '))
    browser.open(fault, width=1300)
    press(browser, "ArrowRight")
    assert text(browser, "blue-does").startswith("Not ")


@pytest.mark.browser
def test_names_that_look_like_markup__are_text(browser: Browser, tmp_path: Path) -> None:
    scenario = default_network().scenario.model_copy(update={"name": "</title><b>"})
    data = watch_data(Network(scenario), [made_replay(Network(scenario), 3)], None, green=True, alone=True)
    hostile = [name for name in NASTY if any(mark in name for mark in "<&{$")]
    for host, name in zip(data["network"]["hosts"], hostile, strict=False):
        host["name"] = name
    for step in data["episodes"][0]["steps"]:
        step["red"] = step["red_why"] = step["blue"] = "</script><img src=x onerror=alert(1)>"
    write_page(tmp_path / "hostile.html", data, hostile[0], hostile)
    browser.open(tmp_path / "hostile.html", width=1300)
    press(browser, "End")
    assert text(browser, "red-does") == "</script><img src=x onerror=alert(1)>"
    names = browser.evaluate(
        OPEN_TABLE + ".then(() => [...document.querySelectorAll('.w-rows th')].map(n => n.textContent))"
    )
    assert names[: len(hostile)] == hostile[: len(names)]
    assert browser.evaluate("document.querySelectorAll('script').length + document.images.length") == 2
    assert browser.messages == []


def test_play_html__writes_the_episode_that_was_shown(tmp_path: Path) -> None:
    path = tmp_path / "played.html"
    asked = ("--red-agent", "meander", "--max-steps", 12, "--seed", 5)
    outcome = cageflow("play", "--blue", "champion", *asked, "--html", path)
    assert outcome.status == 0 and f"Wrote {path}" in outcome.out
    assert cageflow("watch", "champion", *asked, "--out", tmp_path / "watched.html").status == 0
    assert path.read_text() == (tmp_path / "watched.html").read_text()


def test_refusals__write_nothing(tmp_path: Path) -> None:
    for arguments, words in (
        (("champion", "--out", tmp_path / "page.txt"), "html"),
        (("nobody", "--out", tmp_path / "page.html"), "is no policy"),
        (("champion", "--network", "campus", "--out", tmp_path / "page.html"), "was made for the network"),
        (("champion", "--episodes", 0, "--out", tmp_path / "page.html"), "0"),
    ):
        outcome = cageflow("watch", *arguments)
        assert outcome.status == 2 and words in outcome.err, outcome.err
    assert list(tmp_path.iterdir()) == []
