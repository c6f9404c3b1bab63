"""The shipped landscapes, with all that stands beside their tables."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from cageflow.analysis.differences_words import heading, sentences
from cageflow.analysis.landscapes import open_landscape, table_in
from cageflow.report.sections.prices import draw_prices
from cageflow.search.landscape import find_landscape

WORTH = ("op_server", "enterprise", "defender", "op_host", "user")


@pytest.mark.parametrize(
    ("name", "by_worth", "is_sample", "beside"),
    [
        ("cage2-cage4-meander", WORTH, False, {"plain_ppo", "plain_ppo_long"}),
        ("cage2-cage4-bline", WORTH, False, {"plain_ppo", "plain_ppo_long"}),
        ("cage2-bline", WORTH, False, {"plain_ppo", "plain_ppo_long"}),
        ("cage2-meander", WORTH, False, {"plain_ppo", "plain_ppo_long"}),
        (
            "plant-meander",
            ("plc", "scada", "server", "engineering", "dmz", "workstation"),
            False,
            {"plain_ppo", "plain_ppo_long"},
        ),
        (
            "clinic-meander",
            ("records", "device", "imaging", "server", "ward", "desktop"),
            False,
            {"plain_ppo", "plain_ppo_long"},
        ),
        (
            "campus-meander",
            ("registry", "server", "research", "building", "web", "staff", "lab"),
            True,
            {"plain_ppo", "plain_ppo_long", "by_worth"},
        ),
        ("cage2-bline-rewarded", WORTH, False, set()),
    ],
)
def test_shipped_landscape__is_opened_by_its_name_with_what_stands_beside(name, by_worth, is_sample, beside):
    found = open_landscape(name)
    assert found.about is not None and found.table.network == found.about.network
    assert (found.by_worth, found.is_sample, set(found.beside)) == (by_worth, is_sample, beside)
    assert found.threshold == (0.95 if name.endswith("rewarded") else 0.0)
    assert found.table.whole.is_complete
    differences = found.differences()
    assert differences.by_worth is not None and differences.by_worth.order == by_worth
    assert (differences.plain is None) == (not beside)


def test_folder_of_a_run__stands_for_its_table(tmp_path):
    table = tmp_path / "landscape.csv"
    table.write_bytes(find_landscape("cage2-bline").read_bytes())
    assert (table_in(tmp_path), table_in("cage2-bline")) == (table, Path("cage2-bline"))
    assert open_landscape(tmp_path).table == open_landscape(table).table


def test_shipped_landscapes__say_what_the_documents_say():
    slow = open_landscape("cage2-cage4-meander").differences()
    assert slow.spread.differs and slow.spread.f > 13
    assert [(pair.before, pair.after) for pair in slow.pairs[:2]] == [("enterprise", "user"), ("op_server", "user")]
    assert heading(slow) == "The orders differ: fix enterprise before user, op_server before user"
    quick = open_landscape("cage2-bline").differences()
    assert quick.spread.differs and (quick.pairs[0].before, quick.pairs[0].after) == ("enterprise", "user")
    assert 4 < quick.pairs[0].worth.mean < 5 and quick.pairs[1].p > 0.05
    roaming = open_landscape("cage2-meander").differences()
    assert (roaming.pairs[0].before, roaming.pairs[0].after) == ("user", "enterprise"), "the other way round"
    assert roaming.spread.differs and 0.5 < roaming.pairs[0].worth.mean < 1.2
    chased = open_landscape("cage2-cage4-bline").differences()
    assert chased.spread.differs and (chased.pairs[0].before, chased.pairs[0].after) == ("enterprise", "user")
    for found in (slow, quick, roaming, chased):
        assert not any(one.gain.interval().low > 0 for one in found.prices), "none is better than none"
    plant = open_landscape("plant-meander")
    assert plant.differences().spread.differs
    words = " ".join(sentences(plant.differences()))
    assert "0 of 720 orders are better and 711 are worse by more than chance" in words
    assert "With 15,000 episodes plain PPO comes to -161.37" in words
    clinic = open_landscape("clinic-meander").differences()
    assert clinic.spread.differs and clinic.by_worth is not None
    assert max(one.reward.mean for one in clinic.prices) - clinic.by_worth.reward.mean > 80, "worth is no guide there"


def test_prices_of_many_orders__have_one_band_and_a_mark_for_each_order():
    axes = {name: Figure().subplots() for name in ("clinic-meander", "campus-meander")}
    for name, panel in axes.items():
        draw_prices(panel, narrow=False, found=open_landscape(name).differences())
    many, few = ({type(one).__name__ for one in panel.collections} for panel in axes.values())
    assert ("FillBetweenPolyCollection" in many, "LineCollection" in many) == (True, False)
    assert ("FillBetweenPolyCollection" in few, "LineCollection" in few) == (False, True)
    marks = [sum(line.get_marker() == "o" for line in panel.lines) for panel in axes.values()]
    assert marks == [720, 10], "each with its words for the reader's pointer"
