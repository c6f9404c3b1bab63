"""What the page says of the order: its heading, the picture of precedences, the prices, and all red agents."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cageflow.analysis.answer import FILE, Gain
from cageflow.analysis.beside import PLAIN as PLAIN_PPO
from cageflow.analysis.beside import finished_beside, table_of, training_path
from cageflow.analysis.found import found_with
from cageflow.analysis.playbook import saved_playbook
from cageflow.analysis.standing import MOST_EPISODES, play_standing
from cageflow.measure.differences import find_differences
from cageflow.report.content import Chart, Prose, Table
from cageflow.report.drawing import draw, limits
from cageflow.report.material import Material
from cageflow.report.page import breakable
from cageflow.report.report import make_page, write_report
from cageflow.report.sections import episodes, precedences, prices, standing
from cageflow.report.sections.precedence_picture import draw_precedences, picture_height, places
from cageflow.runs.saved_run import read_run
from cageflow.scenario.orders import OrderSpace
from tests.helpers.agents import policy_file
from tests.unit.analysis.test_answer import FIRST, PLAIN, TYPES, answer_of, known, turn
from tests.unit.runs.run_folders import FIRST as ORDER
from tests.unit.runs.run_folders import SECOND, Made, write_run, write_training

UNTESTED = [turn(one, other, 0.1, False) for one in ("op_host", "defender") for other in TYPES if other != one]


def shown(orders, gain=None):
    material = SimpleNamespace(answer=answer_of(orders, None if gain is None else PLAIN, gain))
    return precedences.section(material)


def texts(chart, narrow=False):
    figure = Figure(figsize=(8, 4))
    chart.draw(figure, narrow)
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts if text.get_text()]


def chart_of(section):
    (chart,) = (block for block in section.blocks if isinstance(block, Chart))
    return chart


def test_precedences_are_drawn_with_their_price_and_the_rest_with_the_reason():
    section = shown(known((FIRST,), (turn("op_server", "user", 0.3), *UNTESTED)))
    (prose,) = (block for block in section.blocks if isinstance(block, Prose))
    assert prose.paragraphs[0].startswith("Enterprise before user (certain, 58 points, 40 to 75); the other places do")
    chart = chart_of(section)
    for narrow in (False, True):
        words = texts(chart, narrow)
        assert {"enterprise", "user", "op_server\ndoes not matter"} <= set(words)
        assert ("certain\n58 points" in words) == (not narrow) and ({"certain", "58 points"} <= set(words)) == narrow
        assert {"defender\nnever tested", "op_host\nnever tested"} <= set(words)
    rows = {row[0]: row for row in chart.table.rows}
    assert rows["enterprise before user"][1:] == (
        "99.9 %".replace(" ", "\N{NO-BREAK SPACE}"),
        "58.20",
        "40.00 to 75.00",
        "yes",
    )
    assert rows["op_host before defender"][4] == "never"
    assert "svg" in draw(chart).inline(narrow=False)


def test_types_stand_behind_all_that_come_before_them():
    chain = tuple(
        replace(FIRST, before=one, after=other)
        for one, other in (("user", "op_host"), ("op_host", "defender"), ("enterprise", "defender"))
    )
    orders = known(chain, recommended=("user", "enterprise", "op_host", "op_server", "defender"))
    layers = {one.name: one.layer for one in places(orders)}
    assert layers == {"user": 0, "enterprise": 0, "op_host": 1, "defender": 2, "op_server": None}


LONG = tuple(
    f"{name}_of_the_whole_enterprise_{name[::-1]}" for name in ("imaging", "mail", "web", "staff", "plc", "a", "b", "c")
)


def ordered(types, pairs):
    turns = tuple(replace(FIRST, before=types[i], after=types[j]) for i, j in pairs)
    return known(turns, types=types, recommended=types)


@pytest.mark.parametrize("width", [840, 420, 340])
@pytest.mark.parametrize(
    "orders",
    [
        ordered(LONG[:2], [(0, 1)]),
        ordered(TYPES, [(0, 4), (1, 4), (2, 4)]),
        ordered(TYPES, [(0, 1), (1, 2), (0, 3), (3, 2), (0, 4)]),
        ordered(LONG, [(i, i + 1) for i in range(7)]),
        ordered(LONG, [(i, 7) for i in range(6)]),
        ordered(LONG, [(0, 4), (1, 5), (0, 5), (1, 4), (2, 6), (3, 7)]),
        ordered(LONG, []),
    ],
    ids=["two", "fan", "diamond", "long chain", "wide fan", "crossing", "none"],
)
def test_no_word_of_the_picture_covers_another_however_long_the_names(orders, width):
    figure = Figure(figsize=(width / 72, picture_height(orders, width) / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_precedences(axes, orders, width)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
    assert len(boxes) >= len(orders.unit_types)
    for i, box in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= picture_height(orders, width)
        assert not [other for other in boxes[i + 1 :] if box.overlaps(other)], axes.texts[i].get_text()


def test_nothing_to_say_of_one_type_or_of_orders_that_cannot_be_followed():
    assert shown(None) is None
    assert shown(known(types=("plc",), tied=1)) is None


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    trials = [Made(ORDER, -30.0, 0.96), Made(SECOND, -25.0, 0.97), Made(ORDER, -20.0, 0.98, episodes=300)]
    path = write_run(tmp_path_factory.mktemp("runs") / "search", trials, red_agent="meander")
    seed = write_training(training_path(path, PLAIN_PPO, 1))
    policy_file(seed / "policies" / "policy.safetensors", workflow=None, max_steps=12)
    content = {"rewards": [-19.0], "rewards_se": [0.5], "episodes": 300}
    table_of(path, PLAIN_PPO).write_text(json.dumps(content))
    return path


def test_page_of_a_search_is_headed_by_what_is_known_and_compares_with_plain_ppo_by_default(run):
    saved = read_run(run)
    assert [path.name for path in finished_beside(run)] == ["seed1"]
    written = write_report(run, episodes=100)
    assert make_page(written.material).heading == "No order was found better than none"
    assert [rival.run.path.name for rival in written.material.rivals] == ["seed1"]
    assert json.loads((run / FILE).read_text())["plain"]["rewards"] == [-19.0]
    text = written.page.read_text()
    assert "No order was found better than none" in text
    assert 'id="chart-precedences"' in text
    rows = {
        row[0]: row
        for block in standing.section(written.material).blocks
        if isinstance(block, Table)
        for row in block.rows
    }
    assert {"Plain PPO (400 episodes, seed1)", "react", "random", "sleep"} <= rows.keys()
    assert written.material.standing.red_agents == ("RedMeanderAgent", "B_lineAgent", "SleepAgent")
    assert saved.orders == written.material.run.orders


def test_who_has_the_policy_of_a_search_is_told_what_it_found(run, tmp_path):
    best = run / "policies" / "best.safetensors"
    words = found_with(best)
    assert words[0].startswith("No order was found better than another")
    assert "plain PPO, which came to -19.00" in words[-1]
    assert found_with(training_path(run, PLAIN_PPO, 1) / "policies" / "policy.safetensors") == ()
    assert found_with(tmp_path / "policies" / "best.safetensors") == ()


def test_heading_praises_no_order_that_is_no_better_than_none(run):
    saved = read_run(run)
    material = Material(saved, saved_playbook(saved, saved.policy(), 100, 0)[0])
    for gain, words in (
        (Gain(mean=9, low=3, high=15), "Fix enterprise before user"),
        (Gain(mean=9, low=-3, high=15), "No order was found better than none; the best fix enterprise before user"),
    ):
        material.__dict__["answer"] = answer_of(known((FIRST,)), PLAIN, gain)
        assert make_page(material).heading == words


def test_table_of_red_agents_holds_the_same_episodes_for_all(run):
    saved = read_run(run)
    found = play_standing([], saved.config.game(), 10_000, 0)
    assert found.episodes == MOST_EPISODES
    assert found.returns["sleep"]["SleepAgent"] == [0.0] * MOST_EPISODES
    again = play_standing([], saved.config.game(), 10_000, 0)
    assert again.returns == found.returns


def test_prices_stand_beside_plain_ppo_and_an_outlier_does_not_crush_them():
    space = OrderSpace(("a", "b", "c", "d"))
    rng = np.random.default_rng(0)
    rewards = {order: list(-30 + 5 * rng.standard_normal() + rng.standard_normal(3)) for order in space}
    rewards[space.unrank(5)] = [-4000.0, -4001.0, -4002.0]
    found = find_differences(space, rewards, [-30.0, -31.0, -29.0])
    chart = prices.prices_chart(found)
    figure = Figure(figsize=(8, 4))
    chart.draw(figure, False)
    low, high = figure.axes[0].get_ylim()
    assert -200 < low < high < 100
    assert "\N{MINUS SIGN}3,971" in [text.get_text() for text in figure.axes[0].texts]
    assert len(chart.table.rows) == 24
    section = prices.section(SimpleNamespace(differences=found))
    assert section.title == "Do the orders differ?"
    assert prices.section(SimpleNamespace(differences=None)) is None


def test_limits_leave_out_what_is_far_from_all_others_and_nothing_else():
    near = list(np.linspace(-30, -10, 50))
    low, high = limits([*near, -900.0])
    assert -35 < low < -30
    assert -10 < high < -5
    assert limits([*near, -50.0])[0] < -50
    assert limits([1.0, 1.0])[0] < 1 < limits([1.0, 1.0])[1]


def test_long_names__may_be_broken_after_a_stroke_and_short_ones_stay_as_they_are():
    assert breakable("mail_and_collaboration > op_server & <b>") == (
        "mail_<wbr>and_<wbr>collaboration &gt; op_server &amp; &lt;b&gt;"
    )


@pytest.mark.parametrize("returns", [(-30.0, -29.0, -28.5), (-30.0, -30.0, -30.0), (-300.0, -20.0, -19.9)])
def test_names_of_the_episodes__do_not_cover_one_another_however_alike_their_returns(returns):
    examples = [
        SimpleNamespace(role=role, replay=SimpleNamespace(env_return=value))
        for role, value in zip(("bad", "median", "good"), returns, strict=True)
    ]
    figure = Figure(figsize=(840 / 72, 230 / 72), dpi=72)
    episodes._draw_spread(figure, np.linspace(-310.0, -10.0, 200), examples)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 3
    assert not [1 for i, box in enumerate(boxes) for other in boxes[i + 1 :] if box.overlaps(other)]
