"""The options that several commands share: names, help, shown defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def option(help_text: str, default: object = None, *names: str, panel: str | None = None) -> Any:
    """An option whose default is decided later (by `--config`, or by the run that is resumed) but shown here."""
    shown = "" if default is None else f" [dim]\\[default: {default}][/dim]"  # Typer would put it in parentheses
    return typer.Option(*names, help=help_text + shown, show_default=False, rich_help_panel=panel)


ADVANCED = "Advanced options"
"""The second panel of a command's help; what most users need stands in the first."""

ORDER_FORMS = "As a > b > c or a,b,c, a number from 0 to 119, or a name such as critical-first."
"""How an order can be written; `cageflow.scenario.orders.OrderSpace.parse` reads it."""

NETWORKS = "cage2, cage1, plant, clinic, campus"
"""The networks that come with the package, `cageflow.scenario.NETWORK_NAMES`."""

RedAgent = Annotated[
    str | None,
    option(
        "B_lineAgent, RedMeanderAgent or SleepAgent; or bline, meander, sleep; or mixed: one of the first two, drawn "
        "anew for each episode.",
        "B_lineAgent",
    ),
]
Rules = Annotated[str | None, option("v2.1 (today's CAGE-2) or challenge (as it was judged).", "v2.1")]
Observation = Annotated[str | None, option("Blue's table: corrected or official.", "corrected", panel=ADVANCED)]
MaxSteps = Annotated[int | None, option("Steps of an episode.", 100, panel=ADVANCED)]
Green = Annotated[bool | None, option("Wake the green agent.", "no-green", "--green/--no-green")]
ScenarioFile = Annotated[
    Path | None,
    option(
        f"A network in place of CAGE-2's own: {NETWORKS}, a network file, or a scenario file of CybORG; "
        "--network says the same."
    ),
]
DurationsOfActions = Annotated[
    str | None,
    option(
        "Steps that actions take: file (as the network's file says), cage4 (as in CAGE Challenge 4), blue-cage4 "
        "(blue's alone), or numbers with commas between: analyse, remove, restore, decoy, and perhaps sweep, scan, "
        "exploit, escalate, impact of red.",
        "file",
        panel=ADVANCED,
    ),
]
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

Lambda = Annotated[
    float | None,
    option("Reward for an episode of full compliance.", "5; 30 with the preset reference", panel=ADVANCED),
]
Definition = Annotated[
    str | None,
    option(
        "What counts as compromised: any-session, or evictable (not red's first host).", "any-session", panel=ADVANCED
    ),
]
Threshold = Annotated[float | None, option("Compliance that a workflow's training aims for.", 0.95, panel=ADVANCED)]
Patience = Annotated[
    int | None, option("Updates without better compliance that end a workflow's training.", 12, panel=ADVANCED)
]
PerTrial = Annotated[int | None, option("Episodes before compliance may end a training.", 1000, panel=ADVANCED)]
PerWorkflow = Annotated[int | None, option("Episodes of one trial of a workflow, at most.", 10_000, panel=ADVANCED)]
EvaluationEpisodes = Annotated[int | None, option("Fresh episodes that judge a trained policy.", 500, panel=ADVANCED)]

Preset = Annotated[
    str | None, option("The learner: default, or reference (the earlier prototype's).", "default", panel=ADVANCED)
]
PerUpdate = Annotated[int | None, option("Episodes of one update.", "the preset's", panel=ADVANCED)]
Threads = Annotated[int | None, option("Threads of the learner.", 1, panel=ADVANCED)]
Device = Annotated[str | None, option("Where the learner runs: cpu or cuda.", "cpu", panel=ADVANCED)]

Collector = Annotated[
    str | None, option("Who plays the episodes: vector, process, sync or sequential.", "vector", panel=ADVANCED)
]
Workers = Annotated[int | None, option("Worker processes of the collectors process and sync.", 2, panel=ADVANCED)]
Staleness = Annotated[
    int | None,
    option("Updates that an episode of the collector process may be old; 0 waits for all.", 1, panel=ADVANCED),
]
Simulator = Annotated[str | None, option("compiled, or cyborg: an installed CybORG.", "compiled", panel=ADVANCED)]
CyborgPath = Annotated[Path | None, option("Folder of the installed CybORG.", panel=ADVANCED)]

Parallel = Annotated[int | None, option("Workflows that are trained at once.", 1)]
Executor = Annotated[
    str | None,
    option(
        "Where workflows are trained: inline (one after the other, here), process, dask or ray.",
        "inline for one at a time, else process",
        panel=ADVANCED,
    ),
]
Address = Annotated[str | None, option("Of a Dask or Ray cluster.", "a new one on this machine", panel=ADVANCED)]

StartFrom = Annotated[
    Path | None,
    option("A run of universal or train, or a learner's file, with whose learner new trainings begin.", panel=ADVANCED),
]

Seed = Annotated[int | None, option("Decides all chance.", 0)]
TotalEpisodes = Annotated[int | None, option("Training episodes in all.", 100_000)]
ConfigFile = Annotated[Path | None, option("A YAML file of settings; options given here go first.", None, "--config")]
RunDir = Annotated[Path | None, option("Folder of the run.", "runs/ and a new name")]
Resume = Annotated[Path | None, option("Go on with the run in this folder.")]
IsQuiet = Annotated[bool, typer.Option("--quiet", help="Say nothing until the end.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, words on standard error.")]

AgentTimeout = Annotated[
    float,
    typer.Option(help="Seconds that an agent in Python has for an answer, and to be loaded.", rich_help_panel=ADVANCED),
]
RunTeamCode = Annotated[
    bool, typer.Option("--run-team-code", help="Let a team file run the code that it names.", rich_help_panel=ADVANCED)
]
