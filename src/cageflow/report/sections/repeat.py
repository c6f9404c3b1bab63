"""How to repeat the run and the page, what they were computed on, and how to cite them."""

from __future__ import annotations

import shlex
from statistics import stdev

from cageflow import __version__
from cageflow.analysis.beside import PLAIN, read_beside
from cageflow.report.citing import bibtex
from cageflow.report.content import Code, Points, Section
from cageflow.report.material import Material
from cageflow.report.results import training_spread
from cageflow.report.wording import count, number
from cageflow.settings.spelled import command_of

MAIN_VERSIONS = ("cageflow", "python", "numpy", "numba", "torch")


def section(material: Material) -> Section:
    """The section."""
    run, about = material.run, material.run.about
    name = run.path.resolve().name
    command = command_of(run.config) or f"cageflow {run.config.command} --config {shlex.quote(f'{name}/config.json')}"
    made_of = material.playbook.made_of
    page = f"cageflow report {shlex.quote(name)} --evaluation-episodes {made_of['episodes']} --seed {made_of['seed']}"
    points = [("Chance of training", _spread(material))]
    if "processor" in about:
        points.append(("Computed on", f"{about['processor']}; cores: {about.get('cores', 'unknown')}"))
    versions = [f"{one} {about[one]}" for one in MAIN_VERSIONS if one in about]
    if versions:
        points.append(("Versions", f"{', '.join(versions)}; the page by cageflow {__version__}"))
    return Section(
        "repeat",
        "Repeat and cite",
        (
            Code("The commands that repeat the run and this page", f"{command}\n{page}"),
            Points(tuple(points)),
            Code("How to cite cageflow, for BibTeX", bibtex(about.get("cageflow", __version__))),
        ),
        "Run",
    )


def _spread(material: Material) -> str:
    """How far trainings that differ by chance alone lie apart."""
    run = material.run
    by_order: dict[tuple[str, ...], list[float]] = {}
    for trial in run.comparable:
        by_order.setdefault(trial.result.order, []).append(trial.result.reward)
    is_alike = run.config.trains_anew or bool(run.config.ladder)
    words = []
    if is_alike and (spread := training_spread(list(by_order.values()))) is not None:
        several = sum(len(rewards) > 1 for rewards in by_order.values())
        words.append(
            f"Trainings of the same order have a standard deviation of {number(spread[0])} "
            f"({count(several, 'order')} trained more than once)"
        )
    plain = read_beside(run.path, PLAIN)
    if plain is not None and len(plain.rewards) > 1:
        whose, what = ("those", "one") if words else ("Trainings", "a standard deviation")
        size = len(plain.rewards)
        words.append(f"{whose} of plain PPO have {what} of {number(stdev(plain.rewards))} ({size} trainings)")
    if words:
        return f"{'; '.join(words)}. Another seed's run may differ by as much."
    return (
        "Nothing was trained twice, so the figures do not say what another seed would have come to. Train with other "
        "seeds, and hold the runs against each other with cageflow compare."
    )
