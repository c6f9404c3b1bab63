"""One name for one thing: the options of all commands are those of the table in the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cageflow.cli import app
from cageflow.cli.names import OLD_NAMES, by_option, with_new_names
from cageflow.cli.options import ADVANCED
from tests.e2e.command_line import cageflow

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()


def commands(group: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its name, such as "bench sim"."""
    for part, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name}{part} ")
        else:
            yield f"{name}{part}", command


def options(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "option" and param.name != "help"]


def test_options_of_all_commands__are_those_of_the_table() -> None:
    found: dict[str, list[str]] = {}
    for name, command in commands():
        for option in options(command):
            found.setdefault(" / ".join(f"`{text}`" for text in (*option.opts, *option.secondary_opts)), []).append(
                name
            )
    table = re.findall(r"^\| (`--[^|]*`) \| [^|]+ \| ([^|]*) \|$", PAGE, re.M)
    assert {option: ", ".join(names) for option, names in found.items()} == dict(table)
    assert len(table) == len(found)


def test_old_names__stand_in_the_table_and_are_nowhere_offered_beside_the_new() -> None:
    assert dict(re.findall(r"^\| `(--[a-z-]+)` \| `(--[a-z-]+)` \|$", PAGE, re.M)) == OLD_NAMES
    for name, command in commands():
        known = {text for option in options(command) for text in option.opts}
        both = {old for old, new in OLD_NAMES.items() if {old, new} <= known}
        assert not both, f"{name} has two names for one thing: {both}"


def test_every_new_name__is_reached_by_its_old_one_in_some_command() -> None:
    known = [{text for option in options(command) for text in option.opts} for _, command in commands()]
    assert all(any(new in names and old not in names for names in known) for old, new in OLD_NAMES.items())


@pytest.mark.parametrize(
    ("typed", "read", "said"),
    [
        (["--seeds", "1"], ["--seed", "1"], 1),
        (["--seeds=1", "--", "--seeds"], ["--seed=1", "--", "--seeds"], 1),
        (["--episodes", "3"], ["--episodes", "3"], 0),  # a name of its own here
        (["--steps", "3"], ["--steps", "3"], 0),  # the command has neither
    ],
)
def test_old_name__is_read_as_the_new_one_and_says_so(
    typed: list[str], read: list[str], said: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert with_new_names(typed, {"--seed", "--episodes", "--evaluation-episodes"}) == read
    words = capsys.readouterr().err
    assert words.count("\n") == said
    assert not said or words == "cageflow: --seeds is called --seed now; the next version will not know the old name\n"


def test_command__reads_an_old_name_and_hides_it_from_its_help() -> None:
    outcome = cageflow("play", "--blue", "sleep", "--steps", 3)
    assert (outcome.status, outcome.out.splitlines()[-1][-7:]) == (0, "3 steps")
    assert outcome.err == "cageflow: --steps is called --max-steps now; the next version will not know the old name\n"
    assert "--steps" not in cageflow("play", "-h").out


def test_network__is_a_second_name_for_scenario_everywhere() -> None:
    has_scenario = [name for name, command in commands() if "--scenario" in {o.opts[0] for o in options(command)}]
    assert len(has_scenario) == 15
    for name in set(has_scenario) - {
        "export",
        "evaluate",
        "record",
        "watch",
        "bench cuda",
    }:  # these look at others first
        first = {"train": ["--no-workflow"], "baseline": ["sleep"], "exploit": ["react"], "duel": ["react"]}
        outcome = cageflow(*name.split(), *first.get(name, []), "--network", "none.yaml")
        assert outcome.status == 2
        assert outcome.err.startswith("cageflow: none.yaml: expected a readable YAML file"), name
    for name in ("export", "watch"):
        assert cageflow(name, "champion", "--network", "none.yaml").err.startswith("cageflow: none.yaml"), name


@pytest.mark.parametrize("name", ["search", "train", "landscape", "universal", "champion", "baseline", "evaluate"])
def test_help__has_the_basic_options_first(name: str) -> None:
    words = cageflow(name, "-h").out
    assert words == cageflow(name, "--help").out
    panels = [line for line in words.splitlines() if "Arguments \N{BOX DRAWINGS LIGHT HORIZONTAL}" not in line]
    panels = re.findall(r"\N{BOX DRAWINGS LIGHT HORIZONTAL} ([A-Z][a-z ]+) ", "\n".join(panels))
    assert panels == ["Options", ADVANCED]
    first = words[: words.index(ADVANCED)]
    assert "--seed" in first and "--red-agent" in words and "--compliance-definition" not in first


def test_completion__can_be_shown_and_completes_commands_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "cageflow evaluate --evaluation-ep")
    monkeypatch.setenv("_CAGEFLOW_COMPLETE", "complete_zsh")
    outcome = cageflow()
    assert outcome.status == 0
    assert "--evaluation-episodes" in outcome.out
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "cageflow lands")
    assert "landscape" in cageflow().out
    monkeypatch.delenv("_CAGEFLOW_COMPLETE")
    assert "--install-completion" in cageflow("-h").out


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("max_steps is 0: expected at least 1", "--max-steps is 0: expected at least 1"),
        ("seeds are (1, 1); expected different", "--seed is (1, 1); expected different"),
        ("settings.yaml: max_steps is 0: expected", "settings.yaml: max_steps is 0: expected"),
        ("gamma is 2: expected at most 1", "gamma is 2: expected at most 1"),
    ],
)
def test_refusal__calls_a_setting_by_its_option_unless_a_file_says_it(sentence: str, told: str) -> None:
    assert by_option(sentence, {"--max-steps", "--seed"}) == told
