"""Which runs belong together, and what groups are called."""

from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.report.compare.groups import differing, make_labels, read_groups, setting_words
from tests.unit.report.compare.compare_runs import member, write_training


def test_runs_that_differ_in_their_seed_and_machine__are_one_group(tmp_path: Path) -> None:
    runs = [
        write_training(tmp_path / "a", 1, [-50.0], red_agent="B_lineAgent"),
        write_training(tmp_path / "b", 1, [-50.0], alignment_lambda=30.0),
        write_training(tmp_path / "c", 2, [-50.0], num_threads=2, red_agent="bline"),
        write_training(tmp_path / "d", 1, [-50.0], workflow=False),
    ]
    groups = read_groups(runs)
    assert [[one.path.name for one in group.members] for group in groups] == [["a", "c"], ["b"], ["d"]]
    workflow = "workflow ent>ops>usr>oph>def"
    assert [group.label for group in groups] == [
        f"{workflow}, alignment lambda 5",
        f"{workflow}, alignment lambda 30",
        "plain PPO",
    ]


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ([{"alignment_lambda": 5.0}, {"alignment_lambda": 30.0}], ["alignment lambda 5", "alignment lambda 30"]),
        ([{"what": "search"}, {}], ["search", "plain PPO"]),
        ([{"green": True}, {"green": False}], ["green", "no green"]),
        ([{"total_episodes": 2000}, {"total_episodes": 10_000}], ["total episodes 2,000", "total episodes 10,000"]),
        ([{"red_agent": "A"}, {"red_agent": "B"}], ["against A", "against B"]),
        ([{"ppo.gamma": 0.9}, {}, {"ppo.gamma": 0.8}], ["gamma 0.9", "", "gamma 0.8"]),
        # What is told apart by the preset needs no word of what the preset implies.
        (
            [{"alignment_lambda": 5.0, "preset": "default"}, {"alignment_lambda": 5.0, "preset": "reference"}],
            ["preset default", "preset reference"],
        ),
        ([{"x": 1, "preset": "a"}, {"x": 2, "preset": "b"}], ["preset a", "preset b"]),
        (
            [{"x": 1, "preset": "a"}, {"x": 2, "preset": "b"}, {"x": 2, "preset": "a"}],
            ["preset a, x 1", "preset b, x 2", "preset a, x 2"],
        ),
        ([{}], ["plain PPO"]),
    ],
)
def test_label__is_what_tells_groups_apart_in_few_words(settings: list[dict], labels: list[str]) -> None:
    groups = []
    for one in settings:
        rest = {name: value for name, value in one.items() if name != "red_agent"}
        made = member()
        groups.append([made.__class__(**{**vars(made), "settings": {**made.settings, **one, **rest}})])
    assert make_labels(groups) == labels


def test_differing__leaves_out_what_only_some_have() -> None:
    assert differing([{"a": 1, "b": 2}, {"a": 1, "c": 3}, {"b": 4}]) == ["b"]


def test_setting_words__are_for_people() -> None:
    assert setting_words("episodes_per_update", None) == "episodes per update default"
    assert setting_words("ppo.hidden_sizes", [64, 64]) == "hidden sizes [64, 64]"
    assert setting_words("network", "") == "CAGE-2's network"


def test_own_groups__go_before_and_may_mix_settings(tmp_path: Path) -> None:
    one = write_training(tmp_path / "a", 1, [-50.0])
    two = write_training(tmp_path / "b", 1, [-50.0], alignment_lambda=30.0)
    three = write_training(tmp_path / "c", 1, [-50.0], workflow=False)
    groups = read_groups([three], [f"mine={one},{two}"])
    assert [(group.label, len(group.members)) for group in groups] == [("mine", 2), ("plain PPO", 1)]
    (group,) = read_groups([], [f"all={tmp_path}/[ab]"])
    assert [member.path.name for member in group.members] == ["a", "b"]


def test_nonsense__is_refused_in_one_sentence(tmp_path: Path) -> None:
    one = write_training(tmp_path / "a", 1, [-50.0])
    same = write_training(tmp_path / "b", 1, [-50.0])
    other = write_training(tmp_path / "c", 2, [-50.0], red_agent="meander")
    for runs, named, words in (
        ([one, one], [], "a is given twice"),
        ([one], [f"x={one}"], "a is given twice"),
        ([one, same], [], r"have the same settings and the same seed, 1"),
        ([], [f"x={one},{same}"], r"have the same settings and the same seed, 1"),
        ([], [f"x={one},{other}"], r"--group x mixes games.*B_lineAgent.*RedMeanderAgent"),
        ([], [f"x={one}", f"x={other}"], "two groups are called 'x'"),
        ([one], ["nothing"], "--group is 'nothing': expected NAME=RUN,RUN"),
        ([one], ["x="], "--group is 'x=': expected NAME=RUN,RUN"),
        ([], [], "no run is given"),
        ([tmp_path / "none"], [], "is no run folder"),
    ):
        with pytest.raises(UserError, match=words):
            read_groups(runs, named)
