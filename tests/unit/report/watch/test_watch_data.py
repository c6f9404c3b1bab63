"""What the page is given, and that nothing in it can become markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cageflow.agents.baselines import BASELINES
from cageflow.analysis.replaying import replay_episodes
from cageflow.collect.games import WorkflowSpec
from cageflow.envs.options import GameOptions
from cageflow.report.watch.data import COLUMNS, data_text, watch_data
from cageflow.report.watch.page import make_player, render_page
from cageflow.scenario.named import load_network
from tests.helpers.html import read_page
from tests.helpers.made_replays import made_replay

SEEDS = np.arange(1, dtype=np.uint64)
CAMPUS = load_network("campus")
NASTY = "</script><script>alert(1)</script><!-- \"&' \N{LINE SEPARATOR} {{ 7 }} $&"


def data_of_campus(num_steps: int) -> dict[str, Any]:
    replays = [made_replay(CAMPUS, num_steps)]
    return watch_data(CAMPUS, replays, CAMPUS.orders.unrank(0), green=True, alone=True)


def data_of_cage2(max_steps: int = 2) -> dict[str, Any]:
    options = GameOptions("meander", max_steps=max_steps, green=True)
    order = options.network.orders.unrank(0)
    agent = BASELINES["react"](options.blue_setting)
    replays = replay_episodes(agent, options, SEEDS, WorkflowSpec(order, 0.0, "evictable"), titles=["One"])
    return watch_data(options.network, replays, order, green=True, alone=True)


def test_page_of_a_hundred_steps_on_forty_hosts__is_small() -> None:
    text = render_page(data_of_campus(100), "react against meander", ["Campus"])
    page = read_page(text)
    assert page.faults == [] and len(text.encode()) < 300_000
    assert "react against meander" in page.text and "Campus" in page.text


def test_network__is_that_of_the_file_and_every_host_has_a_place_on_every_map() -> None:
    network = CAMPUS
    data = json.loads(data_text(data_of_campus(2)))
    hosts = data["network"]["hosts"]
    assert [host["name"] for host in hosts] == list(network.hosts)
    assert [data["network"]["types"][host["type"]] for host in hosts] == [
        host.unit_type for host in network.scenario.hosts.values()
    ]
    assert {host["name"]: host["worth"] for host in hosts}["REG-Database"] == 2.0
    assert [host["name"] for host in hosts if host["start"]] == ["ROOM-101"]
    guards = {subnet["name"]: subnet["guards"] for subnet in data["network"]["subnets"]}
    assert guards["Rooms"] is None and guards["Building"] == [
        network.hosts.index(name) for name in ("STAFF-Janitor", "DIR-1", "FILES")
    ]
    assert len(data["layouts"]) == len(COLUMNS)
    widths = [plan["width"] for plan in data["layouts"]]
    assert widths == sorted(widths)
    for plan in data["layouts"]:
        assert len(plan["cards"]) == 40 and len(plan["panels"]) == 6
        assert all(left + width <= plan["width"] for left, _, width, _ in plan["cards"] + plan["panels"])


def test_names_that_look_like_markup__stay_text_in_the_page_and_in_its_data() -> None:
    data = data_of_cage2()
    data["network"]["hosts"][0]["name"] = data["episodes"][0]["title"] = NASTY
    text = render_page(data, NASTY, [NASTY])
    page = read_page(text)
    assert page.faults == []
    assert NASTY in page.text
    kept = text.partition('class="w-data">')[2].partition("</script>")[0]
    assert json.loads(kept)["network"]["hosts"][0]["name"] == NASTY


def test_planted_fault__a_script_that_the_policy_does_not_name_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    text = render_page(data_of_cage2(), "a", [])
    assert read_page(text.replace("</body>", "<script>alert(1)</script></body>")).faults
    assert read_page(text.replace('"use strict"', '"use  strict"')).faults


def test_player__puts_no_name_into_markup() -> None:
    script = (Path(render_page.__code__.co_filename).parent / "player.js").read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in script
    assert make_player(data_of_cage2()).script == script
