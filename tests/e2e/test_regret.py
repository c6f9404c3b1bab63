"""`cageflow regret` as a user types it."""

import json

import numpy as np
import pytest

from cageflow.scenario.orders import OrderSpace
from cageflow.search.landscape import Landscape, LandscapeRow, landscape_ranks, write_landscape
from tests.e2e.command_line import cageflow
from tests.helpers.orders import ORDERS
from tests.unit.search.landscapes import landscape_table, pair_landscape
from tests.unit.search.test_landscape_about import CONTENT as ABOUT

SMALL = ["--repetitions", "2", "--trials", "3", "--strategy", "gp-ucb,random", "--kernel", "mallows"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "small.csv"
    compliances = np.where(np.arange(120) % 2 == 0, 0.97, 0.9)
    write_landscape(path, landscape_table(pair_landscape(0), compliances, seeds=2))
    return path


def test_regret__prints_tables_and_writes_its_files(table, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    words = cageflow("regret", table, *SMALL, "--n-workers", 1).out
    assert "Simple regret by trials" in words
    assert "gp-ucb" in words
    assert "…" not in words, "no figure is cut off"
    assert "Held-out compliance within 1 and 2 deviations" in words
    folder = table.with_name("small-regret")
    assert {path.name for path in folder.iterdir()} == {
        "regret.csv", "calibration.csv", "regret.png", "regret.svg", "prices.csv", "prices.png", "prices.svg",
    }  # fmt: skip
    assert (folder / "prices.csv").read_text().startswith("Workflow_Order,Reward,Low,High\n")


def test_regret__says_whether_orders_differ_and_what_they_are_worth_beside_plain_ppo(table):
    plain = {"rewards": [-40.0, -41.0, -39.0], "rewards_se": [0.1, 0.1, 0.1], "episodes": 10}
    table.with_name("small.json").write_text(json.dumps({**ABOUT, "compliance_threshold": 0.95, "plain_ppo": plain}))
    outcome = cageflow("regret", table, *SMALL, "--n-workers", 1, "--json")
    (one,) = outcome.json["landscapes"]
    assert one["differences"]["plain_ppo"]["mean"] == -40.0
    assert all(price["over_plain_ppo"] is not None for price in one["differences"]["prices"])
    assert " ".join(one["words"]).count("Plain PPO comes to -40.00") == 1
    assert " ".join(outcome.err.split()).count("Plain PPO comes to -40.00") == 1
    prices = table.with_name("small-regret") / "prices.csv"
    assert prices.read_text().splitlines()[0].endswith("High,Over_Plain,Over_Plain_Low,Over_Plain_High")


def test_regret__prints_names_in_brackets_as_they_are(tmp_path):
    space = OrderSpace(("[red]", "b"))
    rows = [
        LandscapeRow(
            order=order, seed=seed, reward=-10.0 * place - seed, reward_se=0.1, compliance=0.99, compliance_se=0.01,
            episodes=10, ending="budget", threshold_episodes=None, seconds=1.0,
        )
        for place, order in enumerate(space, start=1)
        for seed in (1, 2)
    ]  # fmt: skip
    write_landscape(tmp_path / "two.csv", Landscape(space, tuple(rows)))
    words = cageflow("regret", tmp_path / "two.csv", *SMALL, "--n-workers", 1).out
    assert "Best is [red] > b, -11.50" in words


def test_regret__gives_the_same_figures_whoever_works(table, tmp_path):
    figures = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        outcome = cageflow("regret", table, *SMALL, "--n-workers", workers, "--out", out, "--json")
        assert outcome.status == 0
        (one,) = outcome.json["landscapes"]
        figures.append({name: one[name] for name in ("seeds", "repetitions", "regret", "calibration")})
    assert figures[0] == figures[1]
    assert figures[0]["seeds"] == 2
    assert [one["contender"] for one in figures[0]["regret"]] == ["gp-ucb", "random"]
    csvs = [(tmp_path / workers / "regret.csv").read_text() for workers in ("1", "2")]
    assert csvs[0] == csvs[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--n-workers", "100000000"], "--n-workers is 100000000: expected 1 to 1024"),
        (["--strategy", "grid"], "unknown strategy 'grid'"),
        (["--strategy", ""], "no strategy to replay"),
        (["--kernel", "rbf"], "unknown kernel 'rbf'"),
        (["--kernel", ""], "no kernel"),
        (["--gate", "soft"], "unknown gate 'soft'"),
        (["--beta", "-1"], "beta is -1.0"),
        (["--repetitions", "1"], "--repetitions is '1': expected at least 2"),
        (["--trials", "0"], "--trials is '0': expected at least 1"),
        (["--n-workers", "0"], "--n-workers is 0"),
        (["--strategy", "random", "--workflow", "0"], "--workflow is the order of the contender one-order"),
        (["--compliance-threshold", "0.99"], "no order of the landscape reaches a compliance of 0.99"),
    ],
)
def test_regret__refuses_nonsense_in_one_sentence(table, arguments, sentence):
    outcome = cageflow("regret", table, "--n-workers", 1, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert sentence in " ".join(outcome.err.split())
    assert not table.with_name("small-regret").exists()


def test_regret__refuses_what_is_no_landscape(table, tmp_path):
    holes = tmp_path / "holes.csv"
    write_landscape(holes, Landscape(ORDERS, landscape_table(pair_landscape(0), seeds=1).rows[5:]))
    for arguments, sentence in (
        ([tmp_path / "missing.csv"], "give a table of `cageflow landscape`, or one of cage2-bline,"),
        ([holes], "5 trainings are missing"),
        ([table, table, "--out", tmp_path / "out"], "--out is one folder, but 2 landscapes are given"),
    ):
        outcome = cageflow("regret", *arguments, "--n-workers", 1)
        assert outcome.status == 2
        assert sentence in " ".join(outcome.err.split())


def test_regret__needs_no_options_where_the_table_says_how_it_was_made(table):
    plain = {"rewards": [-40.0, -41.0], "rewards_se": [0.1, 0.1], "episodes": 10}
    long = {**plain, "rewards": [-39.0, -39.0], "episodes": 50}
    about = {**ABOUT, "plain_ppo": plain, "plain_ppo_long": long}
    table.with_name("small.json").write_text(json.dumps(about))
    outcome = cageflow(
        "regret",
        table,
        "--repetitions",
        2,
        "--trials",
        2,
        "--kernel",
        "mallows",
        "--n-workers",
        1,
        "--strategy",
        "random,one-order,plain-ppo",
        "--json",
    )
    (one,) = outcome.json["landscapes"]
    random, in_order, free = one["regret"]
    assert random["infeasible_share"] == 0, "the threshold is that of enforced orders: all can be followed"
    assert (in_order["contender"], free["contender"]) == ("one-order", "plain-ppo")
    assert one["about"]["workflow_mode"] == "enforced"
    words = " ".join(one["words"])
    assert words.startswith("CAGE-2, durations cage4, against meander, 100 steps; orders enforced.")
    assert "The order by worth, op_server > enterprise > defender > op_host > user, comes to" in words
    assert "With 50 episodes plain PPO comes to -39.00" in words


def test_regret__of_a_sample_says_whether_orders_differ_and_replays_nothing(tmp_path):
    space = OrderSpace(tuple("abcdef"))
    rows = [
        LandscapeRow(
            order=space.unrank(int(rank)), seed=seed, reward=-float(rank) / 10 - seed, reward_se=0.1, compliance=1.0,
            compliance_se=0.01, episodes=10, ending="budget", threshold_episodes=None, seconds=1.0,
        )
        for rank in landscape_ranks(space, 30)
        for seed in (1, 2)
    ]  # fmt: skip
    write_landscape(tmp_path / "some.csv", Landscape(space, tuple(rows)))
    outcome = cageflow("regret", tmp_path / "some.csv", "--n-workers", 1)
    assert outcome.status == 0, outcome.err
    words = " ".join(outcome.out.split())
    assert "A sample of 30 of the 720 orders" in words and "The orders differ: F(29, 30)" in words
    assert "Simple regret" not in words
    assert {path.name for path in (tmp_path / "some-regret").iterdir()} == {"prices.csv", "prices.png", "prices.svg"}
