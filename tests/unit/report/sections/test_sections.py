"""What the sections say is what the logs and the playbook hold."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from matplotlib.figure import Figure

from cageflow.analysis.intrusions import STILL_OPEN
from cageflow.analysis.playbook import saved_playbook
from cageflow.report.content import Block, Cards, Chart, Code, Points, Prose, Section, Table, Watch
from cageflow.report.material import Material, Rival
from cageflow.report.report import SECTIONS, make_page
from cageflow.report.rivals import rival_names
from cageflow.report.sections import (
    actions,
    answer,
    costs,
    departures,
    endings,
    episodes,
    learning,
    orders,
    positions,
    progress,
    reactions,
    repeat,
    rules,
    settings,
    timing,
    tradeoff,
)
from cageflow.report.wording import number, order_words, signed
from cageflow.runs.recommendation import FinalTraining, SavedRecommendation
from cageflow.runs.saved_run import read_run
from cageflow.scenario.unit_types import UNIT_TYPES
from cageflow.training.trainer import FreshEvaluation
from cageflow.workflow.tested import OrderTests
from tests.helpers.agents import NETWORK
from tests.helpers.orders import ALL_ORDERS, order_id
from tests.unit.runs.run_folders import FIRST, SECOND, THIRD, TRIALS, Made, write_run, write_training

NO_TESTS = OrderTests(tested=0.0, tested_compliant=0.0, known_tested=0.0, known_compliant=0.0, contests=())


def material(path: Path, episodes: int = 100) -> Material:
    run = read_run(path)
    return Material(run, saved_playbook(run, run.policy(), episodes, 0)[0])


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return material(write_run(tmp_path_factory.mktemp("runs") / "search", red_agent="meander"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return material(write_training(tmp_path_factory.mktemp("runs") / "plain"))


Kind = TypeVar("Kind", bound=Block)


def only(section: Section | None, kind: type[Kind]) -> list[Kind]:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, kind)]


def tables(section: Section | None) -> list[Table]:
    """All tables, those below charts too."""
    charts = [chart.table for chart in only(section, Chart) if chart.table is not None]
    return [*only(section, Table), *charts]


def test_best_workflow_of_the_page__is_that_of_the_log(search: Material) -> None:
    (cards,) = only(answer.section(search), Cards)
    values = {card.label: card.value for card in cards.cards}
    assert values["The order that it follows"] == order_words(FIRST)
    assert values["Reward an episode"] == number(float(np.mean(search.playbook.returns)))
    assert "98.0" in next(card.note for card in cards.cards if card.label == "Compliance")
    told = "No type is surely to be fixed before another, though some orders are worse than others"
    assert make_page(search).heading == told  # by four trials of three orders


def test_what_it_beats__are_nothing_rivals_and_the_orders_that_comply(search: Material, plain: Material) -> None:
    (name,) = rival_names(search.run, [plain.run])
    rival = Rival(run=plain.run, name=name, returns=[one - 1.0 for one in search.playbook.returns])
    (table,) = tables(answer.section(replace(search, rivals=(rival,))))
    rows = {row[0]: row for row in table.rows}
    gained = np.mean(search.playbook.returns) - np.mean(search.playbook.idle_returns)
    assert float(rows["Idle: Sleep in every step"][4].replace("\N{MINUS SIGN}", "-")) == pytest.approx(
        gained, abs=0.0051
    )
    assert rows["Plain PPO (plain)"][4:] == ("+1.00", "+1.00 to +1.00")
    assert (rows[order_words(SECOND)][2], rows[order_words(SECOND)][4]) == ("−25.00", "+5.00")
    assert order_words(THIRD) not in rows  # its −10 is not worth having: it does not comply


def test_heading_of_a_landscape__claims_no_order_where_none_is_shown_to_differ(tmp_path: Path) -> None:
    settings = {"command": "landscape", "repetitions": 2, "max_episodes_per_workflow": 200, "total_episodes": 48_000}
    alike = [Made(order, -18.0 - 2 * n, 0.96, training=n) for order in (FIRST, SECOND) for n in (1, 2)]
    one = material(write_run(tmp_path / "run", alike, best=FIRST, **settings))
    assert make_page(one).heading == "No difference between the orders is shown"


def test_heading_of_a_training__says_what_it_was_told(tmp_path: Path) -> None:
    one = material(write_training(tmp_path / "run", FIRST))
    assert make_page(one).heading.startswith(f"Trained to fix {FIRST[0]} first, then {FIRST[1]}, ")


def test_search_without_feasible_workflow__does_not_claim_one(tmp_path: Path) -> None:
    one = material(write_run(tmp_path / "run", [Made(FIRST, -10.0, 0.5)], best=FIRST))
    section = answer.section(one)
    assert section.title == "Closest to a workflow"
    assert make_page(one).heading.startswith("No workflow has reached 95")


def test_all_orders__have_the_beliefs_of_the_last_trial_and_tried_ones_their_figures(search: Material) -> None:
    beliefs = search.run.beliefs
    places = orders.places(search.run.orders, beliefs, search.results)
    assert len(places) == 120
    assert [place.mean for place in places] == sorted((-i - 0.3 for i in range(120)), reverse=True)
    tried = {place.order: place.result for place in places if place.result is not None}
    assert set(tried) == {FIRST, SECOND, THIRD}
    chart = only(orders.section(search), Chart)[0]
    assert chart.table is not None
    (marked,) = chart.table.marked
    assert chart.table.rows[marked][0] == order_words(FIRST)
    assert marked == order_id(FIRST)  # means fall with the number
    assert sum(row[4] != "" for row in chart.table.rows) == 3


def test_orders_without_a_model__are_those_that_were_tried(tmp_path: Path) -> None:
    one = material(write_run(tmp_path / "run", beliefs=False, strategy="random"))
    (chart,) = only(orders.section(one), Chart)
    assert chart.title == "3 workflows tried"
    assert "There is no process" in chart.note
    assert chart.table is not None
    assert [row[0] for row in chart.table.rows] == [order_words(order) for order in (THIRD, FIRST, SECOND)]


def test_workflows_given_up_on_their_way__are_counted_apart(tmp_path: Path) -> None:
    trials = [Made(FIRST, -20.0, 0.98, episodes=600), Made(SECOND, -50.0, 0.98, episodes=100, ending="rung")]
    settings = {"strategy": "curves", "workflow_mode": "enforced"}
    one = material(write_run(tmp_path / "run", trials, red_agent="meander", best=FIRST, **settings))
    assert [result.order for result in one.results] == [FIRST]
    (prose,) = only(answer.section(one), Prose)
    assert prose.paragraphs[-1].startswith("2 workflows were tried, 1 of them trained to the end: there is no other")
    chart = only(orders.section(one), Chart)[0]
    assert "that were trained to the end" in chart.note and "1 other workflow was given up on its way" in chart.note


def test_positions__leave_untried_cells_empty(search: Material) -> None:
    (chart,) = only(positions.section(search), Chart)
    assert chart.table is not None
    rows = {row[0]: row[1:] for row in chart.table.rows}
    assert rows["enterprise"] == ("−20.00 (1)", "−25.00 (1)", "", "", "")
    figure = Figure()
    chart.draw(figure, False)
    drawn = {text.get_text() for text in figure.axes[0].texts}
    assert drawn == {"−20.0\nn = 1", "−25.0\nn = 1", "−22.5\nn = 2"}
    assert sum(cell != "" for row in rows.values() for cell in row) == 9


def test_progress__follows_the_best_that_complies(search: Material) -> None:
    (chart,) = only(progress.section(search), Chart)
    assert chart.table is not None
    assert [row[6:] for row in chart.table.rows] == [
        ("−30.00", "10.00"),
        ("−25.00", "5.00"),
        ("−25.00", "5.00"),
        ("−20.00", "0.00"),
    ]
    assert "The best came in trial 3." in chart.note


def test_learning_curves__go_on_where_an_order_is_picked_again(search: Material) -> None:
    curves = {curve.order: curve for curve in learning.learning_curves(search.run)}
    assert len(curves) == 3
    again = curves[FIRST]
    assert again.episodes.tolist() == [100, 200, 350, 500]
    assert again.values["env_reward"].tolist() == [-31.0, -30.0, -21.0, -20.0]


def test_learning_curves_of_a_landscape__stand_for_trainings(tmp_path: Path) -> None:
    settings = {"command": "landscape", "repetitions": 2, "max_episodes_per_workflow": 200, "total_episodes": 48_000}
    run = read_run(
        write_run(tmp_path / "run", [Made(FIRST, -20.0, 0.96), Made(FIRST, -22.0, 0.96, training=2)], **settings)
    )
    curves = learning.learning_curves(run)
    assert [curve.episodes.tolist() for curve in curves] == [[100, 200], [100, 200]]


def test_thinned__averages_neighbours() -> None:
    points = np.arange(10.0).reshape(10, 1)
    assert learning.thinned(points, 4)[:, 0].tolist() == [1.0, 4.0, 7.0, 9.0]
    assert learning.thinned(points, 10).tolist() == points.tolist()


def test_endings__are_counted(search: Material) -> None:
    (table,) = tables(endings.section(search))
    assert [(row[0], row[2], row[4]) for row in table.rows] == [("threshold", "3", "233"), ("plateau", "1", "200")]


def test_time__is_split_without_remainder(search: Material) -> None:
    spent = timing.time_spent(search.run)
    assert sum(spent.values()) == pytest.approx(4 * 3.0)
    assert (spent["collection"], spent["update"]) == (pytest.approx(0.8), pytest.approx(1.6))


def test_settings__are_all_of_the_configuration(search: Material) -> None:
    first, learner, about = only(settings.section(search), Table)
    assert [row[0] for row in first.rows] == list(search.run.config.to_json())
    values = {row[0]: row[1:] for row in first.rows}
    assert values["red_agent"] == ("meander", "B_lineAgent")
    assert values["rules"] == ("v2.1", "")
    assert {first.rows[i][0] for i in first.marked} >= {"red_agent", "max_steps", "workflow_mode", "alignment_lambda"}
    assert all((row[2] != "") == (i in first.marked) for i, row in enumerate(first.rows))
    assert {row[0]: row[1] for row in learner.rows}["mask_actions"] == "yes"
    assert learner.marked == frozenset()
    assert {"cageflow", "torch", "machine", "processor", "numba_target", "started"} <= dict(about.rows).keys()


def test_settings_of_a_changed_learner__are_marked(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", ppo={"hidden_sizes": [8]})
    one = material(run, episodes=20)
    first, learner, _ = only(settings.section(one), Table)
    assert "ppo" in {first.rows[i][0] for i in first.marked}
    assert [learner.rows[i][:2] for i in sorted(learner.marked)] == [("hidden_sizes", "8")]


def test_repeating__is_by_the_commands_of_the_run_and_the_page(search: Material) -> None:
    section = repeat.section(search)
    commands, cite = only(section, Code)
    run, page = commands.text.splitlines()
    assert run.startswith("cageflow search --") and "--red-agent meander" in run and "--max-steps 12" in run
    assert page == "cageflow report search --evaluation-episodes 100 --seed 0"
    assert f"version = {{{search.run.about['cageflow']}}}" in cite.text
    points = dict(only(section, Points)[0].items)
    assert search.run.about["processor"] in points["Computed on"]
    assert f"torch {search.run.about['torch']}" in points["Versions"]
    assert points["Chance of training"].startswith("Nothing was trained twice")


def test_chance_of_training__is_told_from_trainings_of_the_same_order(tmp_path: Path) -> None:
    trials = [Made(FIRST, -10.0, 0.96), Made(FIRST, -14.0, 0.96, training=2)]
    lengths = {"repetitions": 2, "max_episodes_per_workflow": 200, "total_episodes": 48_000}
    one = material(write_run(tmp_path / "run", trials, command="landscape", **lengths), episodes=20)
    points = dict(only(repeat.section(one), Points)[0].items)
    assert "a standard deviation of 2.83 (1 order trained more than once)" in points["Chance of training"]


def test_run_whose_settings_have_no_option__is_repeated_from_its_file(tmp_path: Path) -> None:
    one = material(write_run(tmp_path / "my run", ppo={"memory": False}), episodes=20)
    commands, _ = only(repeat.section(one), Code)
    assert commands.text.splitlines()[0] == "cageflow search --config 'my run/config.json'"


def test_rules__say_what_the_policy_does_and_how_often(search: Material) -> None:
    section = rules.section(search)
    (table,) = only(section, Table)
    found = search.playbook.rules
    assert len(table.rows) == len(found["rules"])
    assert table.rows[0][0].startswith("If ") and table.rows[-1][0] == "Else"
    points = dict(only(section, Points)[0].items)
    assert points["Fidelity"].startswith(f"{100 * found['fidelity']:.1f}")
    assert found["fresh_episodes"] == 20
    poor = replace(search.playbook, rules={**found, "fidelity": 0.5})
    good = replace(search.playbook, rules={**found, "fidelity": 0.95})
    assert "first impression" in repr(rules.section(replace(search, playbook=poor)))
    assert "first impression" not in repr(rules.section(replace(search, playbook=good)))


def test_navigation__has_every_section_in_one_group(search: Material) -> None:
    page = make_page(search)
    groups = [name for name, _ in page.groups]
    assert groups == ["Answer", "Playbook", "Orders", "Training", "Run"]
    assert [section for _, part in page.groups for section in part] == list(page.sections)
    assert not [section.title for section in page.sections if ":" in section.title]


@pytest.mark.parametrize("make", [tradeoff.section, progress.section, orders.section])
def test_one_order_far_below_all_others__leaves_these_their_room(make: Callable[..., Section], tmp_path: Path) -> None:
    rewards = [-72.0, *np.linspace(-17.0, -13.0, 39)]
    trials = [Made(order, reward, 0.96) for order, reward in zip(ALL_ORDERS, rewards, strict=False)]
    path = write_run(tmp_path / "run", trials, beliefs=False, strategy="random", best=ALL_ORDERS[39])
    run = read_run(path)
    one = Material(run, None)  # type: ignore[arg-type]
    charts = [block for block in make(one).blocks if isinstance(block, Chart)]
    assert charts
    for narrow in (False, True):
        figure = Figure()
        charts[0].draw(figure, narrow)
        for axes in figure.axes:
            low, high = axes.get_ylim()
            assert -20 < low < -17 and -13 < high < -10
            assert (-17.0 + 13.0) / (low - high) > 0.5, "the others take more than half of the height"
            assert any(text.get_text() == "−72" for text in axes.texts), "and the far one is told at the edge"


def test_actions_by_host__are_those_of_the_playbook(search: Material) -> None:
    book = search.playbook
    counts = actions.host_actions(book)
    named = dict(zip(book.action_names, book.actions, strict=True))
    host = book.hosts.index("User1")
    assert counts[host, actions.VERBS.index("Restore")] == named["Restore User1"]
    assert counts[host, actions.VERBS.index("Decoy")] == sum(
        amount for name, amount in named.items() if name.startswith("Decoy") and name.endswith(" User1")
    )
    assert counts.sum() == sum(book.actions) - named["Sleep"] - named["Monitor"]


def test_reactions__count_what_never_came() -> None:
    histogram = {STILL_OPEN: 2, 1: 5, 4: 3}
    assert reactions.median_steps(histogram) == 1
    assert reactions.median_steps({STILL_OPEN: 6, 1: 4}) == math.inf
    assert math.isnan(reactions.median_steps({}))
    assert (reactions.share_within(histogram, 3), reactions.share_within(histogram, 4)) == (0.5, 0.8)
    assert reactions.merged([[[1, 2]], [[1, 3], [2, 1]]]) == {1: 5, 2: 1}


def test_costs__add_up_to_the_mean_reward(search: Material) -> None:
    assert sum(loss.total for loss in costs.losses(search)) == pytest.approx(-np.mean(search.playbook.returns))


def test_departures__are_what_lies_off_the_diagonal(search: Material) -> None:
    turns = np.array(search.playbook.turns)
    share = departures.num_departures(turns) / turns.sum()
    points = only(departures.section(search), Points)[0]
    assert f"({100 * share:.1f}" in points.items[0][1]
    said = dict(points.items)
    assert f"{search.playbook.tests['known_tested']:.2f} an episode" in said["Put to the test"].replace(
        "\N{MINUS SIGN}", "-"
    )
    for start in ("in which blue slept", "in which blue played at random"):
        assert "a rule that restores the dearest flagged host comes to" in said[f"After 25 steps {start}"]
    made = np.zeros((6, 5), np.int64)
    made[0, 0], made[0, 1], made[5, 2] = 7, 2, 4  # in turn, out of turn, nothing was due
    assert departures.num_departures(made) == 2
    assert len(UNIT_TYPES) == 5


def test_episodes__can_be_watched_and_read(search: Material) -> None:
    (watch,) = only(episodes.section(search), Watch)
    shown = watch.data["episodes"]
    assert [one["title"] for one in shown] == [
        "good: 95\N{NO-BREAK SPACE}% ended no better",
        "median: 51\N{NO-BREAK SPACE}% ended no better",
        "bad: 5\N{NO-BREAK SPACE}% ended no better",
    ]
    for example, table in zip(search.playbook.examples, watch.tables, strict=True):
        steps = example.replay.steps
        assert len(table.rows) == len(steps) == 12
        for step, row in zip(steps, table.rows, strict=True):
            assert row[0] == str(step.number) and row[3] == number(step.reward, 1)
            assert row[1].startswith(step.blue) and row[2].startswith(step.red)
            held = [name for name in row[4].split(", ") if name]
            levels = zip(NETWORK.hosts, step.after.access, strict=True)
            assert held == [host + ("*" if level == "2" else "") for host, level in levels if level != "0"]
    assert make_page(search).watch == watch


def test_trials__are_marked_by_whether_they_comply(search: Material) -> None:
    (chart,) = only(tradeoff.section(search), Chart)
    figure = Figure()
    chart.draw(figure, False)
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len(marks) == len(TRIALS)
    assert "3 reached the threshold" in chart.text


def test_plain_ppo__has_only_the_sections_that_apply(plain: Material) -> None:
    names = [section.name for section in make_page(plain).sections]
    assert names == [
        *("answer", "rules", "playbook", "reactions", "costs", "episodes"),
        *("learning", "time", "repeat", "settings"),
    ]
    (chart,) = only(learning.section(plain), Chart)
    assert chart.table is not None
    assert chart.table.columns == ("Workflow", "#Episodes", "#Environment reward")


def test_landscape__holds_its_best_training_against_means(tmp_path: Path) -> None:
    trials = [
        Made(FIRST, -10.0, 0.96),
        Made(SECOND, -14.0, 0.96),
        Made(FIRST, -20.0, 0.96, training=2),
        Made(SECOND, -15.0, 0.96, training=2),
    ]
    settings = {"command": "landscape", "repetitions": 2, "max_episodes_per_workflow": 200, "total_episodes": 48_000}
    one = material(write_run(tmp_path / "run", trials, **settings))
    page = make_page(one)
    assert "progress" not in [section.name for section in page.sections]
    (table,) = tables(answer.section(one))
    rows = {row[0]: row for row in table.rows}
    assert rows[f"{order_words(FIRST)} (mean of 2 trainings)"][2] == "−15.00"
    assert rows[order_words(SECOND)][4] == "−0.50"
    assert "was stopped before its end: the page shows the 4 trials that ended" in page.notice


def test_an_idle_red_agent__leaves_nothing_to_react_to(tmp_path: Path) -> None:
    one = material(write_run(tmp_path / "run", red_agent="sleep"))
    page = make_page(one)
    assert sum(one.playbook.intrusions) == 0
    for chart in page.charts:
        for narrow in (False, True):
            chart.draw(Figure(), narrow)


def test_every_section_and_chart_of_a_search__is_there_and_named_once(search: Material) -> None:
    page = make_page(search)
    assert (
        len(page.sections) == len(SECTIONS) - 3
    )  # without prices, of landscapes, other red agents and exploits, not played
    assert len({section.name for section in page.sections}) == len(page.sections)
    assert len({chart.name for chart in page.charts}) == len(page.charts) == 13
    assert page.notice == ""


def test_page_of_enforced_orders__speaks_of_no_threshold(tmp_path: Path, search: Material) -> None:
    trials = [replace(trial, ending="episode-cap") for trial in TRIALS]
    path = tmp_path / "enforced"
    run = write_run(path, trials, red_agent="meander", workflow_mode="enforced", strategy="gp-ucb")  # without rungs
    enforced = material(run, episodes=20)
    assert enforced.run.best is not None and enforced.run.best.order == THIRD, "whatever its compliance"
    judging = [make for make in SECTIONS if make not in (settings.section, endings.section)]
    assert [make.__module__ for make in judging if "threshold" in repr(make(enforced))] == []
    assert "the order is enforced" in repr(answer.section(enforced))
    assert len([make for make in judging if "threshold" in repr(make(search))]) >= 4


def test_search_that_has_ended__stands_by_what_it_measured_afresh(search: Material) -> None:
    assert search.run.measured is search.run.best
    assert any("flatters it" in words for block in only(answer.section(search), Prose) for words in block.paragraphs)
    evaluation = FreshEvaluation(
        reward=-21.5, reward_se=0.25, compliance=0.971, compliance_se=0.01, episodes=500, tests=NO_TESTS
    )
    assert search.run.best is not None
    recommended = SavedRecommendation(
        order=FIRST, training=1, training_episodes=500, feasible=True, belief=-20.5, evaluation=evaluation
    )
    ended = replace(search, run=replace(search.run, recommendation=recommended))
    assert ended.run.measured is evaluation
    section = answer.section(ended)
    rows = {row[0]: row for table in only(section, Table) for row in table.rows}
    own = rows[f"{order_words(FIRST)} (as the run measured it when it ended)"]
    assert own[1:3] == ("end", number(-21.5)), "not the -20 by which it was chosen"
    (other,) = (row for name, row in rows.items() if name == order_words(SECOND))
    assert other[4] == signed(-21.5 + 25.0)
    (cards,) = only(section, Cards)
    assert "97.1" in next(card.note for card in cards.cards if card.label == "Compliance")
    words = " ".join(words for block in only(section, Prose) for words in block.paragraphs)
    assert "which chose nothing" in words and "flatters" not in words
    final = FinalTraining(after=500, episodes=700, evaluation=replace(evaluation, reward=-18.5))
    trained = replace(ended, run=replace(ended.run, recommendation=replace(recommended, final=final)))
    assert trained.run.episodes == ended.run.episodes + 700
    section = answer.section(trained)
    rows = {row[0]: row for table in only(section, Table) for row in table.rows}
    assert rows[f"{order_words(FIRST)} (as the run measured it when it ended)"][2] == number(-18.5)
    before = rows[f"{order_words(FIRST)} (as the search left it)"]
    assert (before[2], before[4]) == (number(-21.5), signed(3.0))
    assert "trained on with 700 that were kept back" in repr(section)
    missed = replace(final, evaluation=replace(evaluation, compliance=0.5))
    assert not replace(trained.run, recommendation=replace(recommended, final=missed)).is_feasible
