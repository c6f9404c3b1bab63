"""Landscapes as tables: what is written is what is read, and what is none is refused with its place."""

from dataclasses import replace
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.measure.comparison import compare_tables
from cageflow.measure.replay import Replay
from cageflow.scenario import default_network
from cageflow.scenario.orders import OrderSpace, log_order
from cageflow.search import LANDSCAPE, Landscape, LandscapeRow, read_landscape, write_landscape
from cageflow.search.landscape import find_landscape, landscape_ranks
from tests.helpers.orders import ALL_ORDERS, ORDERS

ROW = LandscapeRow(
    order=ALL_ORDERS[7],
    seed=1,
    reward=-14.25,
    reward_se=0.125,
    compliance=0.9875,
    compliance_se=0.0025,
    episodes=10_000,
    ending="threshold",
    threshold_episodes=3400,
    seconds=6.25,
    network="ab" * 32,
)
FAILED = replace(ROW, order=ALL_ORDERS[100], compliance=0.5, ending="episode-cap", threshold_episodes=None)


def test_landscape__comes_back_as_it_was_written(tmp_path: Path):
    landscape = Landscape(ORDERS, (ROW, FAILED, replace(ROW, seed=2, reward=-15.0)))
    write_landscape(tmp_path / "landscape.csv", landscape)
    assert read_landscape(tmp_path / "landscape.csv") == landscape
    lines = (tmp_path / "landscape.csv").read_text().splitlines()
    assert lines[0] == LANDSCAPE.header
    order = log_order(ALL_ORDERS[7])
    assert lines[1] == f"7,{order},1,-14.2500,0.1250,0.9875,0.0025,10000,threshold,3400,6.25,{'ab' * 32}"


def test_landscape__of_a_version_without_networks_is_read_and_says_none(tmp_path: Path):
    path = tmp_path / "old.csv"
    write_landscape(path, Landscape(ORDERS, (ROW, FAILED)))
    path.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in path.read_text().splitlines()))
    old = read_landscape(path)
    assert old.network is None and old.rows == (replace(ROW, network=None), replace(FAILED, network=None))


def test_landscape__of_two_networks_is_refused(tmp_path: Path):
    write_landscape(tmp_path / "mixed.csv", Landscape(ORDERS, (ROW, replace(FAILED, network="cd" * 32))))
    with pytest.raises(UserError, match=r"mixed\.csv has trainings on different networks"):
        read_landscape(tmp_path / "mixed.csv")


def test_landscape__knows_its_seeds_and_whether_it_is_complete():
    whole = Landscape(ORDERS, tuple(replace(ROW, order=order, seed=seed) for seed in (1, 2) for order in ALL_ORDERS))
    assert whole.seeds == (1, 2)
    assert whole.is_complete
    assert not Landscape(ORDERS, whole.rows[:-1]).is_complete
    assert [row.seed for row in whole.of(ALL_ORDERS[3])] == [1, 2]


def test_landscape__that_was_stopped_has_a_whole_part():
    whole = Landscape(ORDERS, tuple(replace(ROW, order=order, seed=seed) for seed in (1, 2) for order in ALL_ORDERS))
    stopped = Landscape(ORDERS, whole.rows[:130])
    assert stopped.whole.rows == whole.rows[:120] and stopped.whole.is_complete and not stopped.is_complete
    assert whole.whole is whole
    holes = Landscape(ORDERS, (*whole.rows[1:121], *whole.rows[125:]))
    assert holes.whole is holes, "none is whole, and none is left out"


def test_landscape__in_rungs_is_read_as_at_its_last_unless_asked_for_others(tmp_path: Path):
    early = tuple(
        replace(ROW, order=order, seed=seed, episodes=2500, ending="rung", reward=-20.0)
        for seed in (1, 2)
        for order in ALL_ORDERS
    )
    late = tuple(replace(row, episodes=10_000, ending="episode-cap", reward=-15.0) for row in early)
    write_landscape(tmp_path / "rungs.csv", Landscape(ORDERS, (*early, *late)))
    landscape = read_landscape(tmp_path / "rungs.csv")
    assert landscape.rungs == (2500, 10_000)
    assert (landscape.full.rows, landscape.at(2500).rows) == (late, early)
    assert landscape.is_complete and landscape.full.is_complete
    assert not Landscape(ORDERS, landscape.rows[:-1]).is_complete, "one training has not come to its end"
    assert Landscape(ORDERS, late).full.rows == late
    replay = Replay.of(landscape, 0.95)
    assert (replay.reward == -15.0).all()
    assert compare_tables(landscape, Landscape(ORDERS, early), 0.95).gain == -5.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("Reward_SE", "Error", 1), "is no landscape: expected the columns Workflow_ID,"),
        (lambda text: "", "is no landscape"),
        (lambda text: text.splitlines()[0] + "\n", "is empty: it has no trainings"),
        (
            lambda text: text + text.splitlines()[1] + "\n",
            "line 4: .* with seed 1 and 10000 episodes stands",
        ),
        (lambda text: text.replace("0.9875", "1.9875", 1), "line 2: .*the compliance is 1.9875, expected 0 to 1"),
        (lambda text: text.replace("-14.2500", "nan", 1), "line 2: .*expected finite figures"),
        (lambda text: text.replace("-14.2500", "good", 1), "line 2: could not convert string to float: 'good'"),
        (lambda text: text.replace("0.1250", "-0.1250", 1), "line 2: .*standard errors of at least 0"),
        (lambda text: text.replace("\n7,", "\n8,", 1), "line 3: .* is no order|line 3: .* has the number"),
        (lambda text: text.replace(",6.25", "", 1), "line 2: expected 12 values, got 11"),
        (lambda text: text.replace("user", "printer", 1), "line 3: .*printer"),
    ],
)
def test_landscape__that_is_none_is_refused_with_its_place(tmp_path: Path, change, message):
    path = tmp_path / "landscape.csv"
    write_landscape(path, Landscape(ORDERS, (ROW, FAILED)))
    path.write_text(change(path.read_text()))
    with pytest.raises(UserError, match=message) as refusal:
        read_landscape(path)
    assert str(path) in str(refusal.value)


def test_landscape__that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be read as a landscape: No such file"):
        read_landscape(tmp_path / "nothing.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.csv cannot be read as a landscape: it is no text"):
        read_landscape(tmp_path / "binary.csv")


def test_landscape__is_found_by_its_path_or_shipped_by_its_name(tmp_path: Path):
    (tmp_path / "mine.csv").write_text("")
    assert find_landscape(str(tmp_path / "mine.csv")) == tmp_path / "mine.csv"
    with pytest.raises(
        UserError, match=r"there is no file nowhere: give a table .*, or one of cage2-bline, cage2-bline-rewarded,"
    ):
        find_landscape("nowhere")


@pytest.mark.parametrize("name", ["cage2-bline-rewarded", "cage2-meander-rewarded"])
def test_landscape__that_was_rewarded_is_whole_and_has_the_orders_that_can_be_followed(name: str):
    landscape = read_landscape(find_landscape(name))
    assert landscape.is_complete
    assert landscape.network == default_network().fingerprint
    assert len(landscape.seeds) >= 2
    for row in landscape.rows:
        types = row.order
        assert (row.compliance >= 0.95) == (types.index("enterprise") < types.index("user"))
        assert (row.ending == "threshold") == (row.compliance >= 0.95)
        assert row.episodes == 10_000


def test_sample_is_spread_over_all_places_and_part_of_a_larger():
    orders = OrderSpace(tuple("abcdefg"))
    small, large = landscape_ranks(orders, 50), landscape_ranks(orders, 200)
    assert len(small) == 50 and set(small) < set(large)
    last = {orders.unrank(int(rank))[-1] for rank in small}
    assert last == set("abcdefg")
    assert landscape_ranks(ORDERS, 500).tolist() == list(range(120))
