"""A run's settings as the command that asks for them: typed again, it asks for the same."""

import shlex
from typing import Any

import pytest
import typer

from cageflow.cli import app
from cageflow.settings.reading import make_config
from cageflow.settings.spelled import command_of, given_settings


def asked(line: str) -> dict[str, Any]:
    """What the command line asks for, as the command would be called."""
    words = shlex.split(line)
    assert words[0] == "cageflow"
    command = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    params = command.make_context(words[1], words[2:]).params
    known = make_config({"command": words[1]}).to_json()
    given = {
        name: str(value) if name == "scenario" and value else value for name, value in params.items() if name in known
    }
    return {**{name: value for name, value in given.items() if value is not None}, "command": words[1]}


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"command": "search"}, "cageflow search"),
        ({"command": "search", "seed": 3, "red_agent": "meander"}, "cageflow search --seed 3 --red-agent meander"),
        (
            {"command": "search", "workflow_mode": "rewarded", "seed": 1},
            "cageflow search --workflow-mode rewarded --seed 1",
        ),
        ({"command": "search", "durations": "cage4", "green": True}, "cageflow search --durations cage4 --green"),
        ({"command": "train", "scenario": "plant"}, "cageflow train --no-workflow --scenario plant"),
        (
            {"command": "train", "workflow": "user,enterprise,op_server,op_host,defender"},
            "cageflow train --workflow user,enterprise,op_server,op_host,defender",
        ),
        ({"command": "landscape", "repetitions": 2}, "cageflow landscape --repetitions 2"),
        ({"command": "universal", "orders_per_update": 20}, "cageflow universal --orders-per-update 20"),
        ({"command": "search", "preset": "reference"}, "cageflow search --preset reference"),
    ],
)
def test_command__asks_for_the_settings_and_for_no_more_than_it_must(settings: dict[str, Any], line: str) -> None:
    config = make_config(settings)
    found = command_of(config)
    assert found is not None
    assert sorted(found.split(" --")) == sorted(line.split(" --"))
    assert make_config(asked(found)) == config


def test_settings_that_have_no_option__are_for_a_file() -> None:
    config = make_config({"command": "search", "ppo": {"memory": True}})
    assert command_of(config) is None
    assert given_settings(config) == {"ppo": {"memory": True}}


def test_setting_left_out__is_missed() -> None:
    config = make_config({"command": "search", "seed": 3})
    assert make_config(asked("cageflow search")) != config
