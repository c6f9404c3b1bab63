"""Red agents by name wherever one is named on the command line: those that are built in, and one in Python."""

from pathlib import Path

import pytest

from tests.e2e.command_line import cageflow

GREEDY = f"{Path(__file__).parents[2] / 'docs' / 'examples' / 'my_red.py'}:Greedy"
TINY = ("--max-steps", 6, "--quiet", "--evaluation-episodes", 4)
TRAINED = (*TINY, "--total-episodes", 8, "--episodes-per-update", 4)
SLOW = f"red agent {GREEDY} plays step by step in Python: some "


def test_evaluate__plays_all_of_them_and_says_which_are_slow() -> None:
    names = ["sleepy-bline", "sleepy-meander", "switch", "random", "mixed", GREEDY]
    outcome = cageflow(
        *("evaluate", "sleep", "react", "--red-agent", ",".join(names), "--max-steps", 8),
        *("--evaluation-episodes", 4, "--json"),
    )
    assert outcome.status == 0, outcome.err
    for result in outcome.json["policies"]:
        assert [cell["red_agent"] for cell in result["cells"]] == names
    rows = [line.split("  ")[0] for line in outcome.err.splitlines()]
    for words in ("Sleepy B-line", "Sleepy Meander", "Switch", "Random", "Mixed", "Greedy"):
        assert words in rows, words
    assert outcome.err.count(SLOW) == 2, "once for each policy"


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--no-workflow", *TRAINED),
        ("train", "--no-workflow", *TRAINED, "--collector", "process", "--n-workers", 1),
        ("search", *TRAINED, "--max-episodes-per-workflow", 4, "--compare-plain", 1, "--parallel-workflows", 1),
        ("baseline", "react", *TINY),
    ],
    ids=lambda command: " ".join(map(str, command[:2])),
)
def test_run__is_against_a_class_in_python(command: tuple[object, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cageflow(*command, "--red-agent", GREEDY, "--run-dir", run)
    assert outcome.status == 0, outcome.err
    assert SLOW in outcome.err


def test_folder__is_named_after_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cageflow("baseline", "sleep", *TINY, "--red-agent", GREEDY).status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("baseline-sleep-Greedy-")


def test_play_and_watch__show_what_it_does(tmp_path: Path) -> None:
    outcome = cageflow("play", "--blue", "sleep", "--red-agent", GREEDY, "--max-steps", 8, "--delay", 0)
    assert outcome.status == 0 and SLOW in outcome.err, outcome.err
    assert "red DiscoverRemoteSystems User" in outcome.out and "red ExploitRemoteService User" in outcome.out
    page = tmp_path / "watch.html"
    outcome = cageflow("watch", "sleep", "--red-agent", GREEDY, "--max-steps", 8, "--out", page)
    assert outcome.status == 0 and SLOW in outcome.err, outcome.err
    assert page.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("evaluate", "sleep"), "is not there: "),
        (("train", "--no-workflow", *TRAINED), "is not there: "),
        (("play", "--blue", "sleep"), "is not there: "),
        (("watch", "sleep"), "is not there: "),
        (("baseline", "sleep", *TINY), "is not there: "),
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_class_that_is_not_there__is_refused_before_anything_is_written(
    arguments: tuple[object, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = GREEDY.replace(":Greedy", ":Gready")
    outcome = cageflow(*arguments, "--red-agent", name)
    assert outcome.status == 2 and f"red agent {name} {sentence}" in outcome.err
    assert not any(tmp_path.iterdir())


def test_run_that_is_stopped_by_the_class__names_file_and_step(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "class Late:\n    def reset(self, network, seed): self.seed = seed\n"
        "    def act(self, view): return 'attack' if view.step == 4 else 'Sleep'\n"
    )
    outcome = cageflow("train", "--no-workflow", *TRAINED, "--red-agent", f"{path}:Late", "--run-dir", tmp_path / "run")
    assert outcome.status == 2
    assert f"red agent {path}:Late answered 'attack' in step 5; expected the name of an action, such as" in outcome.err
