"""The options that several commands share: names, help, shown defaults; those of settings as the settings say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from cageflow.errors import UserError
from cageflow.settings import parts
from cageflow.settings.parts import ORDER_FORMS, GameSettings, PolicySettings, TrialsSettings
from cageflow.settings.wording import beside_resume

__all__ = ["ORDER_FORMS"]

ADVANCED = "Advanced options"
"""The second panel of a command's help; what most users need stands in the first."""


def option(help_text: str, default: object = None, *names: str, panel: str | None = None) -> Any:
    """An option whose default is decided later (by `--config`, or by the run that is resumed) but shown here."""
    shown = "" if default is None else f" [dim]\\[default: {default}][/dim]"  # Typer would put it in parentheses
    return typer.Option(*names, help=help_text + shown, show_default=False, rich_help_panel=panel)


def setting(settings: type, name: str) -> Any:
    """The option of a setting, for a command that has but a few of them.

    Args:
        settings: a class of `cageflow.settings.parts`.
        name: of its field.
    """
    (said,) = (one for one in _hints(settings)[name].__metadata__ if _is_option(one))
    default = getattr(settings, name) if said.shown is None else said.shown
    names = [f"--{name}/--no-{name}"] if isinstance(getattr(settings, name), bool) else []
    return option(said.help, default, *names, panel=ADVANCED if said.advanced else None)


def options_of(settings: type) -> dict[str, Any]:
    """The types of all options of a class of settings, by their names, as Typer reads them, in their order."""
    types = get_type_hints(settings)
    found = {}
    for name, hint in _hints(settings).items():
        said = [one for one in getattr(hint, "__metadata__", ()) if _is_option(one)]
        if said:
            kind = Path if said[0].is_path else _plain(types[name])
            found[name] = Annotated[kind | None, setting(settings, name)]
    return found


@cache
def _hints(settings: type) -> dict[str, Any]:
    return get_type_hints(settings, include_extras=True)


def _is_option(metadata: object) -> bool:
    return isinstance(metadata, parts.Option)


def _plain(hint: Any) -> Any:
    """The type that Typer parses: without None, and a choice as text, which the settings refuse in their own words."""
    kinds = (
        [kind for kind in get_args(hint) if kind is not type(None)] if get_origin(hint) not in (None, Literal) else []
    )
    kind = kinds[0] if kinds else hint
    return str if get_origin(kind) is Literal else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a user asks of a command that runs.

    Attributes:
        settings: by their names, paths as text; None where not given.
        config: file of settings.
        run_dir: folder of a new run.
        resume: folder of a run to go on with.
        wandb: project of Weights & Biases.
        quiet: whether to say nothing before the result.
        as_json: whether standard output is for the result alone.
    """

    settings: dict[str, Any]
    config: Path | None
    run_dir: Path | None
    resume: Path | None
    wandb: str | None
    quiet: bool
    as_json: bool

    def of_new_run(self) -> dict[str, Any]:
        """The settings, and what else only a new run can be given; None where not given."""
        return {**self.settings, "config": self.config, "run_dir": self.run_dir}


def refuse_beside_resume(given: Mapping[str, Any]) -> None:
    """Refuse what was given by names of options beside `--resume`; None where it was not.

    Raises:
        UserError: something was.
    """
    names = ["--" + name.replace("_", "-") for name, value in given.items() if value is not None]
    if names:
        raise UserError(beside_resume(names))


def takes(
    settings: type, *, own_after: str = "seed", run_after: str = "seed"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a class of settings, and those of a run.

    Args:
        settings: a class of `cageflow.settings.parts`.
        own_after: the setting that the command's own options stand behind in its help.
        run_after: the one that those of a run stand behind.

    Returns:
        A decorator of the command, which is called with an `Asked` and its own options.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *others = inspect.signature(command, eval_str=True).parameters.values()
        own = [_keyword(one.name, one.annotation, one.default) for one in others]
        parameters: list[inspect.Parameter] = []
        for name, hint in options_of(settings).items():
            parameters.append(_keyword(name, hint, None))
            parameters += own if name == own_after else []
            parameters += RUN_PARAMETERS if name == run_after else []
        names = [parameter.name for parameter in own]

        def called(**values: Any) -> None:
            of_command = {name: values.pop(name) for name in names}
            run = {parameter.name: values.pop(parameter.name) for parameter in RUN_PARAMETERS}
            command(Asked(settings=as_text(values), **run), **of_command)

        return _as_command(called, command, parameters)

    return decorate


def takes_game(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `GAME_PARAMETERS` in the place of its parameter `game`: what was given, None where it was not."""
    parameters: list[inspect.Parameter] = []
    for one in inspect.signature(command, eval_str=True).parameters.values():
        parameters += GAME_PARAMETERS if one.name == "game" else [_keyword(one.name, one.annotation, one.default)]

    def called(**values: Any) -> None:
        game = {parameter.name: values.pop(parameter.name) for parameter in GAME_PARAMETERS}
        command(**values, game=as_text(game))

    return _as_command(called, command, parameters)


def _as_command(
    called: Callable[..., None], command: Callable[..., None], parameters: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """What is called in the place of a command, with its name and its help, and with these parameters."""
    called.__name__, called.__doc__, called.__module__ = command.__name__, command.__doc__, command.__module__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def _keyword(name: str, hint: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a file has them: a path is text."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


RedAgent = Annotated[str | None, setting(GameSettings, "red_agent")]
Rules = Annotated[str | None, setting(GameSettings, "rules")]
Observation = Annotated[str | None, setting(GameSettings, "observation")]
MaxSteps = Annotated[int | None, setting(GameSettings, "max_steps")]
Green = Annotated[bool | None, setting(GameSettings, "green")]
ScenarioFile = Annotated[Path | None, setting(GameSettings, "scenario")]
DurationsOfActions = Annotated[str | None, setting(GameSettings, "durations")]
PolicyDurations = Annotated[
    str | None,
    option(
        "Steps that actions take: file, cage4, blue-cage4 or numbers, as for `cageflow train`.",
        "the policy's own, else file",
        panel=ADVANCED,
    ),
]
PolicyScenario = Annotated[
    Path | None,
    option("A network by its name or file; --network says the same.", "the policy's own, else CAGE-2's"),
]
Mode = Annotated[str | None, setting(PolicySettings, "workflow_mode")]
Lambda = Annotated[float | None, setting(PolicySettings, "alignment_lambda")]
Definition = Annotated[str | None, setting(PolicySettings, "compliance_definition")]
PerturbedStarts = Annotated[float | None, setting(PolicySettings, "perturbed_starts")]
GreenShare = Annotated[float | None, setting(PolicySettings, "green_share")]
RedMixture = Annotated[str | None, setting(PolicySettings, "red_mixture")]
PerWorkflow = Annotated[int | None, setting(TrialsSettings, "max_episodes_per_workflow")]
Preset = Annotated[str | None, setting(PolicySettings, "preset")]
PerUpdate = Annotated[int | None, setting(PolicySettings, "episodes_per_update")]
Threads = Annotated[int | None, setting(PolicySettings, "num_threads")]
Device = Annotated[str | None, setting(PolicySettings, "device")]
Staleness = Annotated[int | None, setting(PolicySettings, "max_staleness")]
Simulator = Annotated[str | None, setting(PolicySettings, "simulator")]
CyborgPath = Annotated[Path | None, setting(PolicySettings, "cyborg_path")]
Seed = Annotated[int | None, setting(PolicySettings, "seed")]
ConfigFile = Annotated[Path | None, option("A YAML file of settings; options given here go first.", None, "--config")]
RunDir = Annotated[Path | None, option("Folder of the run.", "runs/ and a new name")]
Resume = Annotated[Path | None, option("Go on with the run in this folder.")]
StudyResume = Annotated[Path | None, option("Go on with the run in this folder, as if it never had been stopped.")]
Wandb = Annotated[
    str | None,
    option("Send the figures to this project of Weights & Biases as well; needs cageflow\\[wandb].", panel=ADVANCED),
]
IsQuiet = Annotated[bool, typer.Option("--quiet", help="Say nothing until the end.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, words on standard error.")]

RUN_PARAMETERS = (
    _keyword("run_dir", RunDir, None),
    _keyword("resume", Resume, None),
    _keyword("config", ConfigFile, None),
    _keyword("wandb", Wandb, None),
    _keyword("quiet", IsQuiet, False),
    _keyword("as_json", Json, False),
)
"""The options of every command that runs, beside its settings."""
GAME_PARAMETERS = (
    _keyword("rules", Rules, None),
    _keyword("max_steps", MaxSteps, None),
    _keyword("green", Green, None),
    _keyword("scenario", PolicyScenario, None),
    _keyword("durations", PolicyDurations, None),
)
"""The options of the game that a defender is attacked in."""

AgentTimeout = Annotated[
    float,
    typer.Option(help="Seconds that an agent in Python has for an answer, and to be loaded.", rich_help_panel=ADVANCED),
]
RunTeamCode = Annotated[
    bool, typer.Option("--run-team-code", help="Let a team file run the code that it names.", rich_help_panel=ADVANCED)
]
