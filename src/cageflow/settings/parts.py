"""The settings of runs by what they are about, each with its bounds, its default and what the command line says of it.

Nothing heavy stands here: the command line makes its options from these classes before it knows what it is to do.
`cageflow.settings.commands` makes records of them that are checked. In help and in `config.json` the fields of the last
base come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cageflow.learn.config import MAX_STEPS, MAX_WEIGHT


@dataclass(frozen=True)
class Bounds:
    """What a number may be; told to pydantic without loading it."""

    ge: float | None = None
    le: float | None = None
    lt: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """Those of pydantic's own schema of a number."""
        return {**handler(source), **{name: bound for name, bound in vars(self).items() if bound is not None}}


Count = Annotated[int, Bounds(ge=1, le=10**12)]  # of episodes: a century of the fastest machine
MAX_EVALUATED = 1_000_000  # episodes; they are played at once, a kilobyte each
FewCount = Annotated[int, Bounds(ge=1, le=1024)]  # of threads and processes: the system breaks down on absurd numbers
Share = Annotated[float, Bounds(ge=0.0, le=1.0)]
Weight = Annotated[float, Bounds(ge=0.0, le=MAX_WEIGHT)]
NETWORKS = "cage2, cage1, plant, clinic, campus"
"""The networks that come with the package, `cageflow.scenario.NETWORK_NAMES`."""
ORDER_FORMS = "As a > b > c or a,b,c, by its number from 0, or by a name such as critical-first."
"""How an order can be written; `cageflow.scenario.orders.OrderSpace.parse` reads it."""


@dataclass(frozen=True, slots=True)
class Option:
    """A setting's option on the command line.

    Attributes:
        help: what it means.
        shown: default in words, where that of the field does not say it.
        advanced: whether it stands in the second panel of the help.
        is_path: whether it names a file or a folder.
    """

    help: str
    shown: str | None = None
    advanced: bool = True
    is_path: bool = False


class BudgetSettings:
    """How much is trained, and by which chance."""

    total_episodes: Annotated[Count, Option("Training episodes in all.", advanced=False)] = 100_000
    seed: Annotated[int, Bounds(ge=0, lt=2**63), Option("Decides all chance.", advanced=False)] = 0


class GameSettings:
    """The game; `cageflow.envs.options.GameOptions` says what each is."""

    red_agent: Annotated[
        str,
        Option(
            "bline, meander or sleep, as in CybORG; mixed, one of the first two for each episode; switch, one after "
            "the other; sleepy-bline, sleepy-meander; late-bline; or random.",
            advanced=False,
        ),
    ] = "B_lineAgent"
    rules: Annotated[
        str,
        Option(
            "v2.1 (today's CAGE-2), challenge (as it was judged), or mixed: one of them, drawn anew for each episode.",
            advanced=False,
        ),
    ] = "v2.1"
    observation: Annotated[str, Option("Blue's table: corrected or official.")] = "corrected"
    max_steps: Annotated[int, Bounds(ge=1, le=MAX_STEPS), Option("Steps of an episode.")] = 100
    green: Annotated[bool, Option("Wake the green agent.", "no-green", advanced=False)] = False
    scenario: Annotated[
        str | None,
        Option(
            f"A network in place of CAGE-2's own: {NETWORKS}, a network file, or a scenario file of CybORG; --network "
            "says the same.",
            advanced=False,
            is_path=True,
        ),
    ] = None
    durations: Annotated[
        str,
        Option(
            "Steps that actions take: file (as the network's file says), cage4 (as in CAGE Challenge 4), blue-cage4 "
            "(blue's alone), or numbers with commas between: analyse, remove, restore, decoy, and perhaps sweep, scan, "
            "exploit, escalate, impact of red."
        ),
    ] = "file"


class WorkflowSettings:
    """Whom `train` trains."""

    workflow: Annotated[
        str | None,
        Option(
            "The order in which to fix the network's unit types, CAGE-2's being defender, enterprise, op_server, "
            f"op_host and user. {ORDER_FORMS}",
            advanced=False,
        ),
    ] = None  # plain PPO


class SideSettings:
    """Whom the learner of `train` plays, and against whom where it is red."""

    side: Annotated[
        Literal["blue", "red"],
        Option("Who learns: blue, or red against a blue agent that stays as it is.", advanced=False),
    ] = "blue"
    blue_agent: Annotated[
        str | None,
        Option(
            "With --side red: who plays blue, anything that `cageflow evaluate` takes, or several by weight, such as "
            "champion=2,react=1, of which one plays each episode.",
            advanced=False,
        ),
    ] = None
    blue_actions: Annotated[
        Literal["sample", "deterministic"],
        Option("With --side red: whether a policy that plays blue draws its actions or takes its likeliest."),
    ] = "sample"


class StrategySettings:
    """How a search picks orders."""

    strategy: Annotated[
        str,
        Option(
            "curves, gp-ucb, thompson, asha, random, round-robin, canonical or exhaustive.",
            "curves; gp-ucb where orders are rewarded",
            advanced=False,
        ),
    ] = "curves"
    beta: Annotated[Weight, Option("Weight of the deviation in UCB = mean + beta * deviation.")] = 2.0
    gate: Annotated[
        Literal["feasibility", "strict"],
        Option("feasibility (weigh orders by the chance that they comply) or strict."),
    ] = "feasibility"
    kernel: Annotated[
        str,
        Option("How orders correlate: mallows, position, pairwise, or evidence, which takes the likeliest."),
    ] = "evidence"
    init: Annotated[
        str,
        Option(
            "Where a new workflow starts: scratch, nearest (from the trained one that is most alike) or shared (from "
            "the one trained last)."
        ),
    ] = "scratch"
    fixed_episodes: Annotated[
        Count | None, Option("Train each workflow for exactly so many, without alignment reward or gate.")
    ] = None


class FinalSettings:
    """What a search keeps back for the order that it recommends."""

    final_episodes: Annotated[
        int,
        Bounds(ge=0, le=10**12),
        Option(
            "Of total-episodes, those that are kept back: the order that is recommended is trained on with them when "
            "the search has used the others.",
            "0; half of the total is a good choice where the policy counts as well as the answer",
            advanced=False,
        ),
    ] = 0


class RepetitionSettings:
    """Which orders a landscape trains, and how often each."""

    sample: Annotated[Count, Option("Workflows that are trained, drawn once and for all where there are more.")] = 720
    repetitions: Annotated[int, Bounds(ge=1, le=10_000), Option("Trainings of each workflow.", advanced=False)] = 1


class RungSettings:
    """At how many of its episodes a training is judged."""

    rungs: Annotated[
        str | None,
        Option(
            "Episodes at which each training is judged on its way, with commas between; the last is its length. They "
            "are rounded up to whole updates.",
            "an eighth, a quarter, a half and all of a training's episodes",
        ),
    ] = None


class BesideSettings:
    """What is trained beside the orders."""

    compare_plain: Annotated[
        int | None,
        Bounds(ge=0, le=1000),
        Option(
            "Trainings of plain PPO beside, each with the whole budget of an order, to say what an order is worth; "
            "with final-episodes as many with all the episodes.",
            "1, a landscape's repetitions; 0 where they would cost over a quarter of the run",
            advanced=False,
        ),
    ] = None


class OneOrderSettings:
    """What a search has to beat."""

    compare_one_order: Annotated[
        int,
        Bounds(ge=0, le=1000),
        Option(
            "Trainings of one order beside, the one by worth, each with all the episodes of the search: common sense "
            "in place of a search.",
        ),
    ] = 0


class WhereSettings:
    """Where trials run."""

    # A number of its own and not that of the cores, so that a seed's search is the same on every machine.
    parallel_workflows: Annotated[
        FewCount,
        Option(
            "Workflows that are trained at once.",
            "2; 1 with --executor inline, or where the collector has processes of its own",
            advanced=False,
        ),
    ] = 2
    executor: Annotated[
        str | None,
        Option(
            "Where workflows are trained: inline (one after the other, here), process, dask or ray.",
            "process; inline for one at a time",
        ),
    ] = None
    address: Annotated[str | None, Option("Of a Dask or Ray cluster.", "a new one on this machine")] = None


class RewardSettings:
    """How a policy is brought to follow its workflow; a weight above the default drowns the game's own reward."""

    workflow_mode: Annotated[
        Literal["rewarded", "enforced"],
        Option(
            "How an order is kept: enforced (a fix is left out while a host of a type before its own looks "
            "compromised; no reward, and no threshold to reach), or rewarded (blue is paid for complying).",
            "enforced; rewarded with the preset reference or where the reward or its threshold is set",
            advanced=False,
        ),
    ] = "enforced"
    alignment_lambda: Annotated[
        Weight, Option("Reward for an episode of full compliance.", "5; 30 with the preset reference")
    ] = 5.0
    compliance_threshold: Annotated[Share, Option("Compliance that a workflow's training aims for.")] = 0.95
    compliance_definition: Annotated[
        str, Option("What counts as compromised: any-session, or evictable (not red's first host).")
    ] = "any-session"


class EndSettings:
    """When the training of a workflow ends."""

    # So that an order picked again gains more than one update.
    min_episodes_per_trial: Annotated[Count, Option("Episodes before compliance may end a training.")] = 1000
    patience_updates: Annotated[Count, Option("Updates without better compliance that end a workflow's training.")] = 12
    min_improvement: Share = 0.01


class TrialSettings:
    """How long a trial of an order is."""

    max_episodes_per_workflow: Annotated[Count, Option("Episodes of one trial of a workflow, at most.")] = 10_000


class JudgeSettings:
    """How a trained policy is judged."""

    evaluation_episodes: Annotated[
        int, Bounds(ge=2, le=MAX_EVALUATED), Option("Fresh episodes that judge a trained policy.")
    ] = 500


class StartSettings:
    """What new trainings begin with."""

    start_from: Annotated[
        str | None,
        Option(
            "A run of universal or train, or a learner's file, with whose learner new trainings begin.", is_path=True
        ),
    ] = None


class LearnerSettings:
    """The learner, and where it runs."""

    preset: Annotated[str, Option("The learner: default, or reference (the earlier prototype's).")] = "default"
    episodes_per_update: Annotated[Count | None, Option("Episodes of one update.", "the preset's")] = None
    num_threads: Annotated[
        FewCount, Option("Threads of the learner, of which it uses two where updates are large; figures are the same.")
    ] = 1
    device: Annotated[str, Option("Where the learner runs: cpu or cuda.")] = "cpu"


class SharingSettings:
    """How a universal policy meets its orders."""

    orders_per_update: Annotated[Count, Option("Workflows that share the episodes of one update.")] = 10


class CollectorSettings:
    """Who plays the episodes, and what is drawn for each."""

    perturbed_starts: Annotated[
        Share,
        Option("Share of training episodes that begin after 25 steps in which blue sleeps or plays at random."),
    ] = 0.0
    green_share: Annotated[
        Share | None,
        Option(
            "Share of training episodes in which the green agent is awake, which blue is not told.", "as green says"
        ),
    ] = None
    red_mixture: Annotated[
        str | None,
        Option(
            "Whom training episodes are played against, by weight, in place of the red agent, which then only judges: "
            "such as bline=2,meander=1; a policy file of red's may be among them, its path in double quotes where it "
            "holds a comma.",
            "the red agent",
        ),
    ] = None
    collector: Annotated[str, Option("Who plays the episodes: vector, process, sync or sequential.")] = "vector"
    n_workers: Annotated[FewCount, Option("Worker processes of the collectors process and sync.")] = 2


class StalenessSettings:
    """How far the collector may be ahead of the learner."""

    max_staleness: Annotated[
        int,
        Bounds(ge=0, le=1000),
        Option("Updates that an episode of the collector process may be old; 0 waits for all."),
    ] = 1


class SimulatorSettings:
    """What plays the game."""

    simulator: Annotated[Literal["compiled", "cyborg"], Option("compiled, or cyborg: an installed CybORG.")] = (
        "compiled"
    )
    cyborg_path: Annotated[str | None, Option("Folder of the installed CybORG.", is_path=True)] = None


# The same together, for each command.


class CommonSettings(
    SimulatorSettings, CollectorSettings, LearnerSettings, JudgeSettings, RewardSettings, GameSettings, BudgetSettings
):
    """Of every run."""


class PolicySettings(
    CommonSettings,
    SimulatorSettings,
    StalenessSettings,
    CollectorSettings,
    LearnerSettings,
    StartSettings,
    JudgeSettings,
    EndSettings,
    RewardSettings,
    GameSettings,
    BudgetSettings,
):
    """Of runs that train policies for one order each, or for none."""


class TrialsSettings(
    PolicySettings,
    SimulatorSettings,
    StalenessSettings,
    CollectorSettings,
    LearnerSettings,
    StartSettings,
    JudgeSettings,
    EndSettings,
    TrialSettings,
    RewardSettings,
    BesideSettings,
    WhereSettings,
    GameSettings,
    BudgetSettings,
):
    """Of runs that train many orders."""


class SearchSettings(
    TrialsSettings,
    OneOrderSettings,
    BesideSettings,
    RungSettings,
    WhereSettings,
    StrategySettings,
    GameSettings,
    FinalSettings,
    BudgetSettings,
):
    """Of `search`."""


class TrainSettings(PolicySettings, SideSettings, WorkflowSettings):
    """Of `train`, which has the cores to itself."""

    num_threads: Annotated[
        FewCount, Option("Threads of the learner, of which it uses two where updates are large; figures are the same.")
    ] = 2


class LandscapeSettings(TrialsSettings, BesideSettings, RungSettings, RepetitionSettings):
    """Of `landscape`, which trains all orders for as long and as often: so follow its other lengths from one."""

    max_episodes_per_workflow: Annotated[Count, Option("Episodes of each training.")] = 10_000
    total_episodes: Count = 100_000
    min_episodes_per_trial: Count = 1000
    patience_updates: Count = 12
    strategy: str = "exhaustive"


class UniversalSettings(CommonSettings, CollectorSettings, SharingSettings, LearnerSettings):
    """Of `universal`."""

    evaluation_episodes: Annotated[
        int, Bounds(ge=2, le=MAX_EVALUATED), Option("Fresh episodes of each workflow that judge the trained policy.")
    ] = 1000
    preset: Annotated[str, Option("The learner: universal, default or reference.")] = "universal"
