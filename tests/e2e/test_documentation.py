"""What the documents say about commands and files is what these do."""

import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cageflow.cli import app
from cageflow.csv_format import CsvFormat
from cageflow.learn.policy import PolicyCard
from cageflow.runs.logs import LOGS
from cageflow.scenario.schema import MAX_DECOYS, MAX_EXPLOITS, MAX_HOSTS, MAX_PORTS, MAX_SUBNETS
from cageflow.scenario.unit_types import UNIT_TYPES
from cageflow.settings.reading import make_config
from tests.e2e.conftest import Run
from tests.helpers.documents import read_page
from tests.helpers.orders import ALL_ORDERS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FILES = (ROOT / "docs" / "files.md").read_text()


def commands_in(text: str) -> list[str]:
    """Every `cageflow COMMAND ...` of a page, without the program."""
    found = (re.match(r"(?:.*[ /])?cageflow (.*)", command.text) for command in read_page(text).commands)
    return [command[1] for command in found if command]


def all_commands() -> list[tuple[str, str]]:
    found = [(path.name, line) for path in DOCUMENTS for line in commands_in(path.read_text())]
    settings = re.search(r"^SEARCH_ARGS \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert settings is not None
    return sorted({*found, ("Makefile", f"search {settings[1]}")})


def check(line: str) -> None:
    """Have a command line read, and not run. A command by its name alone is spoken of: it has to be there.

    Raises:
        Exception: it would be refused.
    """
    command, path = typer.main.get_command(app), ["cageflow"]
    arguments = shlex.split(line.replace("...", "").replace("COMMAND", "search"))
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        path.append(arguments.pop(0))
        command = command.commands[path[-1]]
    if not arguments:
        return
    if len(path) == 1 or arguments in (["-h"], ["--help"]):  # help and completion act where they are read
        root = typer.main.get_command(app)
        context = typer.Context(command, parent=typer.Context(root, **root.context_settings))
        known = {name for param in command.get_params(context) for name in param.opts}
        assert arguments[0] in known, f"no such option: {arguments[0]}"
        return
    context = command.make_context(path[-1], arguments)
    if path[1:] in (["search"], ["train"], ["universal"]):
        given = {name: str(value) if isinstance(value, Path) else value for name, value in context.params.items()}
        words = {name: value for name, value in given.items() if name in make_config({}).to_json()}
        make_config({**words, "command": path[1]})


@pytest.mark.parametrize(("document", "line"), all_commands(), ids=lambda value: value)
def test_command_of_a_document_can_be_typed(document: str, line: str) -> None:
    check(line)


def test_commands_of_documents_are_found_and_wrong_ones_refused() -> None:
    text = (
        "`cageflow play`, and\n\n    .venv/bin/cageflow search --seed 1\n    cageflow bench sim\n\ncageflow finds the"
    )
    assert sorted(commands_in(text)) == ["bench sim", "play", "search --seed 1"]
    assert len(all_commands()) >= 12
    for line in (
        "dance",
        "--dance",
        "search --dance",
        "search --seed many",
        "search --total-episodes 0",
        "bench dance",
    ):
        with pytest.raises(Exception, match=r"."):
            check(line)


@pytest.mark.parametrize(("name", "form"), LOGS.values())
def test_columns_of_the_logs_are_described_one_by_one_in_order(name: str, form: CsvFormat[Any]) -> None:
    section = FILES.split(f"### `{name}`")[1].split("\n##")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*form.columns]


def test_card_of_a_policy_is_described_entry_by_entry() -> None:
    table = FILES.split("under `policy` the card:")[1].split("\n##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", " ".join(cells)) == [field.name for field in fields(PolicyCard)]


def test_settings_file_of_the_documents_is_read(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", FILES, re.DOTALL)[0]
    (tmp_path / "settings.yaml").write_text(text)
    config = make_config({}, tmp_path / "settings.yaml")
    assert (config.red_agent, config.total_episodes, config.beta) == ("meander", 200_000, 1.5)
    assert config.learner().learning_rate == 0.001
    assert set(yaml.safe_load(text)) <= config.to_json().keys()


def test_limits_of_a_network_are_those_of_the_schema() -> None:
    hosts = f"2 to {MAX_HOSTS} hosts, at most {MAX_PORTS} different ports"
    assert f"{hosts}, {MAX_SUBNETS} subnets, {MAX_EXPLOITS} exploits and {MAX_DECOYS} decoys" in FILES


def test_orders_are_numbered_as_described() -> None:
    assert f"permutations of `{', '.join(UNIT_TYPES)}` in the order of this list" in FILES
    assert ALL_ORDERS[0] == UNIT_TYPES
    assert ALL_ORDERS[119] == UNIT_TYPES[::-1]
    assert list(ALL_ORDERS) == sorted(ALL_ORDERS, key=lambda order: [UNIT_TYPES.index(name) for name in order])


def test_every_file_of_a_run_is_described(search_run: Run, plain_run: Run, universal_run: Run) -> None:
    table = FILES.split("## A run folder")[1].split("\n###")[0]
    described = [name.rstrip("/") for name in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)]
    tables = {"universal.csv", "landscape.csv", "plain_ppo", "plain_ppo_long", "one_order", "final"}
    others = {"gp_sampling_log.csv", "acquisition.csv", *tables - {"universal.csv"}}
    of_trials = {"answer.json", "recommendation.json"}
    for run, absent in (
        (search_run, tables),
        (plain_run, {*tables, *of_trials}),
        (universal_run, {*others, *of_trials}),
    ):
        names = {re.sub(r"tfevents\..*", "tfevents.*", path.name) for path in run.path.iterdir()}
        assert names == set(described) - {"network.yaml"} - absent
    assert [path.name for path in (universal_run.path / "policies").iterdir()] == ["universal.safetensors"]
    assert {path.name for path in (universal_run.path / "checkpoint").iterdir()} == {"run.state", "lock"}
    assert [path.name for path in (plain_run.path / "policies").iterdir()] == ["policy.safetensors"]
    names = {path.name for path in (search_run.path / "policies").iterdir()}
    assert "best.safetensors" in names
    assert all(re.fullmatch(r"\d{3}_[a-z_-]+\.safetensors", name) for name in names - {"best.safetensors"})
    rest = {path.name for path in (search_run.path / "checkpoint").iterdir()} - {"run.state", "lock"}
    assert rest
    assert all(re.fullmatch(r"learner_\d{3}_trial\d+\.state", name) for name in rest)


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            assert "://" in target or (path.parent / target).exists(), f"{path.name} links to {target}"
