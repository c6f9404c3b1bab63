"""How the policy stands beside plain PPO and the baselines, against every red agent."""

from __future__ import annotations

from cageflow.evaluation.statistics import summarize
from cageflow.report.content import Prose, Section, Table
from cageflow.report.material import Material
from cageflow.report.wording import interval, number


def section(material: Material) -> Section | None:
    """The section; none where nothing was played."""
    standing = material.standing
    if standing is None:
        return None
    rows = []
    for name, by_red in standing.returns.items():
        cells = []
        for red in standing.red_agents:
            estimate = summarize(by_red[red]).estimate
            cells.append(f"{number(estimate.mean)} ({interval(estimate)})")
        rows.append((name, *cells))
    trained = material.run.config.game().red_agent
    words = (
        f"Mean reward of {standing.episodes:,} fresh episodes with its 95 % interval, the same episodes for all. The "
        f"run trained against {trained}; what its policies do against others, they have never learned."
    )
    return Section(
        "standing",
        "Against every attacker",
        (
            Prose((words,)),
            Table(
                "Mean reward an episode of this policy, of plain PPO and of the baselines, by red agent",
                ("Blue", *(f"#{red}" for red in standing.red_agents)),
                tuple(rows),
                marked=frozenset({0}),
            ),
        ),
        "Answer",
    )
