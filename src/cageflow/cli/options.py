"""The options that several commands share: names, help, shown defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def option(help_text: str, default: object = None, *names: str, panel: str | None = None) -> Any:
    """An option whose default is decided later (by `--config`, or by the run that is resumed) but shown here."""
    shown = "" if default is None else f" [dim]\\[default: {default}][/dim]"  # Typer would put it in parentheses
    return typer.Option(*names, help=help_text + shown, show_default=False, rich_help_panel=panel)


GAME, WORKFLOW, LEARNER, SEARCH, COLLECTOR, RUN = (
    f"The {name}" for name in ("game", "workflow", "learner", "search", "collector", "run")
)
WHERE = "Where workflows are trained"

RedAgent = Annotated[
    str | None,
    option(
        "B_lineAgent, RedMeanderAgent or SleepAgent; or bline, meander, sleep; or mixed: one of the first two, drawn "
        "anew for each episode.",
        "B_lineAgent",
        panel=GAME,
    ),
]
Rules = Annotated[str | None, option("v2.1 (today's CAGE-2) or challenge (as it was judged).", "v2.1", panel=GAME)]
Observation = Annotated[str | None, option("Blue's table: corrected or official.", "corrected", panel=GAME)]
MaxSteps = Annotated[int | None, option("Steps of an episode.", 100, panel=GAME)]
Green = Annotated[bool | None, option("Wake the green agent.", "no-green", "--green/--no-green", panel=GAME)]
ScenarioFile = Annotated[Path | None, option("A network file in place of CAGE-2's own.", panel=GAME)]

Lambda = Annotated[
    float | None,
    option("Reward for an episode of full compliance.", "5; 30 with the preset reference", panel=WORKFLOW),
]
Definition = Annotated[
    str | None,
    option(
        "What counts as compromised: any-session, or evictable (not red's first host).", "any-session", panel=WORKFLOW
    ),
]
Threshold = Annotated[float | None, option("Compliance that a workflow's training aims for.", 0.95, panel=WORKFLOW)]
Patience = Annotated[
    int | None, option("Updates without better compliance that end a workflow's training.", 12, panel=WORKFLOW)
]
PerTrial = Annotated[int | None, option("Episodes before compliance may end a training.", 1000, panel=WORKFLOW)]
PerWorkflow = Annotated[int | None, option("Episodes of one trial of a workflow.", 10_000, panel=WORKFLOW)]
EvaluationEpisodes = Annotated[int | None, option("Fresh episodes that judge a trained policy.", 500, panel=WORKFLOW)]

Preset = Annotated[
    str | None, option("The learner: default, or reference (the earlier prototype's).", "default", panel=LEARNER)
]
PerUpdate = Annotated[int | None, option("Episodes of one update.", "the preset's", panel=LEARNER)]
Threads = Annotated[int | None, option("Threads of the learner.", 1, panel=LEARNER)]
Device = Annotated[str | None, option("Where the learner runs: cpu or cuda.", "cpu", panel=LEARNER)]

Collector = Annotated[
    str | None, option("Who plays the episodes: vector, process, sync or sequential.", "vector", panel=COLLECTOR)
]
Workers = Annotated[int | None, option("Worker processes of the collectors process and sync.", 2, panel=COLLECTOR)]
Staleness = Annotated[
    int | None,
    option("Updates that an episode of the collector process may be old; 0 waits for all.", 1, panel=COLLECTOR),
]
Simulator = Annotated[str | None, option("compiled, or cyborg: an installed CybORG.", "compiled", panel=COLLECTOR)]
CyborgPath = Annotated[Path | None, option("Folder of the installed CybORG.", panel=COLLECTOR)]

Parallel = Annotated[int | None, option("Workflows that are trained at once.", 1, panel=WHERE)]
Executor = Annotated[
    str | None,
    option(
        "Where workflows are trained: inline (one after the other, here), process, dask or ray.",
        "inline for one at a time, else process",
        panel=WHERE,
    ),
]
Address = Annotated[str | None, option("Of a Dask or Ray cluster.", "a new one on this machine", panel=WHERE)]

StartFrom = Annotated[
    Path | None,
    option("A run of universal or train, or a learner's file, with whose learner new trainings begin.", panel=LEARNER),
]

Seed = Annotated[int | None, option("Decides all chance.", 0, panel=RUN)]
TotalEpisodes = Annotated[int | None, option("Training episodes in all.", 100_000, panel=RUN)]
ConfigFile = Annotated[
    Path | None, option("A YAML file of settings; options given here go first.", None, "--config", panel=RUN)
]
RunDir = Annotated[Path | None, option("Folder of the run.", "runs/ and a new name", panel=RUN)]
Resume = Annotated[Path | None, option("Go on with the run in this folder.", panel=RUN)]
IsQuiet = Annotated[bool, typer.Option("--quiet", help="Say nothing until the end.", rich_help_panel=RUN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, words on standard error.")]
