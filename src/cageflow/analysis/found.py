"""What the search that a policy comes from found, for who has but the policy's file."""

from __future__ import annotations

from pathlib import Path

from cageflow.analysis.answer_words import sentences
from cageflow.analysis.beside import find_answer
from cageflow.errors import UserError
from cageflow.runs.layout import CONFIG, POLICIES
from cageflow.runs.saved_run import read_run
from cageflow.settings.commands import SearchConfig


def found_with(policy: Path) -> tuple[str, ...]:
    """The sentences of the answer of the search whose best policy stands in a file; none of any other policy."""
    folder = policy.absolute().parent.parent
    if policy.absolute().parent.name != POLICIES or not (folder / CONFIG).is_file():
        return ()
    try:
        run = read_run(folder)
        is_best = isinstance(run.config, SearchConfig) and run.policy_path.resolve() == policy.resolve()
        return sentences(find_answer(run)) if is_best else ()
    except (UserError, OSError):
        return ()
