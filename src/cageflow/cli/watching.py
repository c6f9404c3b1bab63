"""The commands that show episodes: play in the terminal, watch in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.options import (
    ORDER_FORMS,
    AgentTimeout,
    Json,
    PolicyDurations,
    PolicyScenario,
    RunTeamCode,
    option,
)
from cageflow.cli.output import print_json
from cageflow.cli.telling import Telling
from cageflow.errors import UserError

Deterministic = Annotated[
    bool,
    typer.Option("--deterministic/--sample", help="Whether a policy takes its likeliest action, or draws one."),
]
RedAgent = Annotated[str, typer.Option(help="A red agent, as for `cageflow train`.")]
Rules = Annotated[str, typer.Option(help="v2.1 or challenge.")]
Observation = Annotated[str | None, option("Blue's table: corrected or official.", "the policy's own, else corrected")]
Green = Annotated[bool, typer.Option("--green/--no-green", help="Wake the green agent.")]
MaxSteps = Annotated[int, typer.Option(help="Steps of an episode.", min=1)]
Seed = Annotated[int, typer.Option(help="Decides all chance.", min=0)]


@app.command()
def play(
    blue: Annotated[str, typer.Option(help="human, or whatever `cageflow evaluate` takes for a policy.")] = "random",
    workflow: Annotated[
        str | None, option(f"The order that a policy is to follow; a universal policy needs it. {ORDER_FORMS}")
    ] = None,
    deterministic: Deterministic = False,
    red_agent: RedAgent = "B_lineAgent",
    rules: Rules = "v2.1",
    observation: Observation = None,
    max_steps: MaxSteps = 100,
    green: Green = False,
    scenario: PolicyScenario = None,
    durations: PolicyDurations = None,
    seed: Seed = 0,
    delay: Annotated[float, typer.Option(help="Seconds between steps.")] = 0.5,
    html: Annotated[
        Path | None, option("Also write the episode as a page, as `cageflow watch` does.", None, "--html")
    ] = None,
    agent_timeout: AgentTimeout = 60.0,
    run_team_code: RunTeamCode = False,
) -> None:
    """Watch an episode in the terminal: who did what, the network, the reward."""
    from cageflow.agents.own_game import own_game
    from cageflow.agents.sources import PolicySource, SourceOptions, find_agent
    from cageflow.envs.red_speed import notes_on_red
    from cageflow.evaluation.play import HumanPolicy, play_episode
    from cageflow.files import check_output_file
    from cageflow.learn.policy_file import load_policy

    agents = SourceOptions(
        deterministic, order=workflow, scenario=scenario, timeout_s=agent_timeout, team_code=run_team_code
    )
    source = None if blue == "human" else find_agent(blue, agents)
    if workflow is not None:
        if not isinstance(source, PolicySource):
            raise UserError(f"--workflow is for a policy file, and --blue is {blue}: leave one of them out")
        load_policy(source.path, order=source.workflow.order if source.workflow else None)
    if html is not None:
        check_output_file(html, ".html", option="--html")
    options = own_game(
        source,
        red_agent=red_agent,
        rules=rules,
        observation=observation,
        max_steps=max_steps,
        green=green,
        scenario=scenario,
        durations=durations,
    )
    policy: Any
    if source is None:
        policy = HumanPolicy(options.network, terminal.make_console())
    else:
        policy = source.load(options.blue_setting)
        for note in source.notes(options.blue_setting):
            terminal.say(note, err=True)
    for note in notes_on_red(options):
        terminal.say(note, err=True)
    played = play_episode(options, policy, seed=seed, delay=delay, blue=Path(blue).stem)
    if html is not None:
        from cageflow.report.watch.watching import show_played

        agent = None if source is None else policy
        judged = None if source is None else source.workflow
        show_played(html, played.actions, agent, options, judged, blue=Path(blue).stem, seed=seed)
        terminal.say(f"Wrote {html}.")


@app.command()
def watch(
    policy: Annotated[
        str,
        typer.Argument(metavar="POLICY", help="Whatever `cageflow evaluate` takes for a policy.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("watch.html"),
    episodes: Annotated[int, typer.Option(help="Episodes in it, with this seed and the next ones.", min=1)] = 1,
    workflow: Annotated[
        str | None,
        option(
            f"The order that fixes are judged by, and that a universal policy follows. {ORDER_FORMS}", "the policy's"
        ),
    ] = None,
    deterministic: Deterministic = False,
    red_agent: RedAgent = "B_lineAgent",
    rules: Rules = "v2.1",
    observation: Observation = None,
    max_steps: MaxSteps = 100,
    green: Green = False,
    scenario: PolicyScenario = None,
    durations: PolicyDurations = None,
    seed: Seed = 0,
    agent_timeout: AgentTimeout = 60.0,
    run_team_code: RunTeamCode = False,
    as_json: Json = False,
) -> None:
    """Write episodes as a page for the browser: a map of the network, step by step, that needs nothing else."""
    from cageflow.agents.own_game import own_game
    from cageflow.agents.sources import SourceOptions, find_agent
    from cageflow.envs.red_speed import notes_on_red
    from cageflow.files import check_output_file
    from cageflow.report.watch.watching import watch_episodes

    agents = SourceOptions(
        deterministic, order=workflow, scenario=scenario, timeout_s=agent_timeout, team_code=run_team_code
    )
    source = find_agent(policy, agents)
    check_output_file(out, ".html")
    options = own_game(
        source,
        red_agent=red_agent,
        rules=rules,
        observation=observation,
        max_steps=max_steps,
        green=green,
        scenario=scenario,
        durations=durations,
    )
    agent = source.load(options.blue_setting)
    for note in (*source.notes(options.blue_setting), *notes_on_red(options)):
        terminal.say(note, err=True)
    with Telling("playing"):
        replays = watch_episodes(
            out, agent, options, source.workflow, blue=Path(policy).stem, seed=seed, episodes=episodes
        )
    if as_json:
        print_json(
            {
                "page": str(out),
                "network": options.network.identity.to_json(),
                "episodes": [
                    {"seed": one.seed, "return": one.env_return, "compliance": one.compliance} for one in replays
                ],
            }
        )
    else:
        returns = ", ".join(f"{one.env_return:.1f}" for one in replays)
        terminal.say(f"Wrote {out}: {len(replays)} episode{'s' if episodes > 1 else ''}, return {returns}.")
