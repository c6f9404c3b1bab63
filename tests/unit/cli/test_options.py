"""Options made from the settings: each said once, where the setting is, and as good as one written by hand."""

import inspect
from pathlib import Path
from typing import Annotated, Literal, get_args

import pytest
import typer
from typer.models import OptionInfo

from cageflow.cli.options import ADVANCED, Asked, options_of, refuse_beside_resume, setting, takes
from cageflow.errors import UserError
from cageflow.settings.parts import Option, SearchSettings, TrainSettings, UniversalSettings


class Sizes:
    seed: Annotated[int, Option("Decides all chance.", advanced=False)] = 7
    only_in_files: float = 0.5


class Cakes(Sizes):
    kind: Annotated[Literal["plum", "cheese"], Option("Which cake.", "the day's")] = "plum"
    cream: Annotated[bool, Option("With cream.", "no-cream")] = False
    oven: Annotated[str | None, Option("Folder of the oven.", is_path=True)] = None
    seed: Annotated[int, Option("Decides which raisins.", advanced=False)] = 8


def shown(settings: type, name: str) -> OptionInfo:
    _, info = get_args(options_of(settings)[name])
    assert isinstance(info, OptionInfo)
    return info


def test_options__are_of_the_fields_that_say_so_in_their_order_with_types_that_a_shell_gives() -> None:
    types = {name: get_args(hint)[0] for name, hint in options_of(Cakes).items()}
    assert types == {"seed": int | None, "kind": str | None, "cream": bool | None, "oven": Path | None}
    assert list(types) == ["seed", "kind", "cream", "oven"]  # those of the base first


def test_option__has_its_help_its_default_and_its_panel_from_the_field() -> None:
    assert shown(Cakes, "kind").help == "Which cake. [dim]\\[default: the day's][/dim]"
    assert shown(Cakes, "kind").rich_help_panel == ADVANCED
    assert shown(Cakes, "seed").help == "Decides which raisins. [dim]\\[default: 8][/dim]"  # not the base's
    assert shown(Cakes, "seed").rich_help_panel is None
    assert shown(Cakes, "oven").help == "Folder of the oven."
    assert shown(Cakes, "cream").default == "--cream/--no-cream"  # where Typer keeps the first name
    assert setting(UniversalSettings, "preset").help != setting(TrainSettings, "preset").help


def test_command__is_called_with_what_was_asked_and_its_own_options() -> None:
    asked: list[tuple[Asked, bool]] = []

    @takes(Cakes, own_after="kind")
    def bake(
        asked_for: Asked, with_candles: Annotated[bool, typer.Option("--candles", help="Light them.")] = False
    ) -> None:
        """Bake a cake."""
        asked.append((asked_for, with_candles))

    assert (bake.__name__, bake.__doc__) == ("bake", "Bake a cake.")
    names = list(inspect.signature(bake).parameters)
    of_run = ["run_dir", "resume", "config", "wandb", "quiet", "as_json"]
    assert names == ["seed", *of_run, "kind", "with_candles", "cream", "oven"]
    app = typer.Typer()
    app.command()(bake)
    app(["--candles", "--seed", "3", "--oven", "hot", "--json"], standalone_mode=False)
    ((found, candles),) = asked
    assert found.settings == {"seed": 3, "kind": None, "cream": None, "oven": "hot"}
    assert (found.as_json, found.quiet, found.resume, candles) == (True, False, None, True)
    refuse_beside_resume({"seed": None, "cream": None})
    with pytest.raises(UserError, match="leave out --seed, --cream, or"):
        refuse_beside_resume({"seed": 0, "cream": False})
    with pytest.raises(UserError, match="keeps its settings: leave out --seed, --oven, or start a new run"):
        refuse_beside_resume(found.of_new_run())


@pytest.mark.parametrize("settings", [SearchSettings, TrainSettings])
def test_every_option_has_words_that_end_in_a_stop(settings: type) -> None:
    for name in options_of(settings):
        words = (shown(settings, name).help or "").split(" [dim]")[0]
        assert words.endswith("."), name
