"""The table of baselines: its figures by hand, and that what is written is read back."""

from dataclasses import replace
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.studies.baseline_table import (
    BaselineRow,
    BaselineSummary,
    format_csv,
    format_markdown,
    read_baselines,
    summarize_rows,
    write_baselines,
)
from tests.helpers.orders import parse_order

ORDER = parse_order("op_server,enterprise,defender,op_host,user")
FIRST = BaselineRow(
    baseline="greedy",
    order=ORDER,
    seed=1,
    reward=-50.0,
    reward_se=0.3,
    compliance=0.9,
    episodes=0,
    train_seconds=0.0,
    evaluation_seconds=1.5,
    policy=None,
)
SECOND = replace(FIRST, seed=2, reward=-54.0, reward_se=0.4, compliance=1.0)
TRAINED = replace(
    FIRST, baseline="ppo", order=None, compliance=None, episodes=2000, train_seconds=12.4, policy="policies/ppo_seed1.s"
)


def test_summary__is_the_mean_over_seeds_with_both_kinds_of_error() -> None:
    summary = BaselineSummary((FIRST, SECOND))
    assert summary.reward == -52.0
    assert summary.reward_se == pytest.approx(0.25)  # of the mean of two means: sqrt(0.3^2 + 0.4^2) / 2
    assert summary.seed_sd == pytest.approx(8.0**0.5)
    assert summary.compliance == pytest.approx(0.95)
    assert BaselineSummary((FIRST,)).seed_sd is None
    assert BaselineSummary((TRAINED,)).compliance is None


def test_rows__are_grouped_by_baseline_in_the_order_of_first_sight() -> None:
    summaries = summarize_rows([FIRST, TRAINED, SECOND])
    assert [(one.name, len(one.rows)) for one in summaries] == [("greedy", 2), ("ppo", 1)]


def test_rows__that_were_written_are_read_back(tmp_path: Path) -> None:
    write_baselines(tmp_path / "rows.csv", [FIRST, TRAINED])
    assert read_baselines(tmp_path / "rows.csv") == [FIRST, TRAINED]
    assert read_baselines(tmp_path / "none.csv") == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Baseline,", "Name,", "expected the columns"),
        ("-50.0000", "good", "line 2: it is not as it was written; remove it to have it measured again"),
        ("op_server>", "", "line 2: it is not as it was written"),
        (",1.50,", ",", "line 2: "),
    ],
)
def test_log_that_was_damaged_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "rows.csv"
    write_baselines(path, [FIRST])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=words):
        read_baselines(path)


def test_markdown__has_a_line_for_each_with_empty_cells_where_there_is_nothing() -> None:
    lines = format_markdown(summarize_rows([FIRST, SECOND, TRAINED])).splitlines()
    assert lines[2:] == [
        "| greedy | op_server > enterprise > defender > op_host > user | −52.00 ± 0.25 | 2.83 | 95.0 % | | |",
        "| ppo | | −50.00 ± 0.30 | | | 2,000 | 12 s |",
    ]


def test_csv__has_the_same_figures() -> None:
    lines = format_csv(summarize_rows([FIRST, SECOND])).splitlines()
    assert lines[1] == "greedy,op_server>enterprise>defender>op_host>user,2,-52.0000,0.2500,2.8284,0.9500,0,0.00"
    assert len(lines[0].split(",")) == len(lines[1].split(","))
