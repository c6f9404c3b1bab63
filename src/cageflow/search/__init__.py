"""The search over workflow orders: trials, strategies and the loop that joins them.

It gets a function from an order to a trial result and knows nothing of what stands behind it. Importing this package is
cheap; SciPy is imported when a strategy with a model first chooses.
"""

from cageflow.search.initial import INITS, anew, find_init
from cageflow.search.landscape import (
    LANDSCAPE,
    Landscape,
    LandscapeRow,
    NumberedRow,
    landscape_ranks,
    read_landscape,
    write_landscape,
)
from cageflow.search.loop import (
    Budget,
    Iteration,
    Launch,
    PendingTrial,
    SearchResult,
    SearchState,
    TrialNews,
    TrialRunner,
    best_trial,
    run_search,
)
from cageflow.search.strategies import (
    STRATEGIES,
    Acquisition,
    Choice,
    Exhaustive,
    Strategy,
    StrategySettings,
    make_strategy,
)
from cageflow.search.trial import Cap, History, TrialRequest, TrialResult

__all__ = [
    "Acquisition",
    "Budget",
    "Cap",
    "Choice",
    "Exhaustive",
    "History",
    "INITS",
    "Iteration",
    "LANDSCAPE",
    "Landscape",
    "LandscapeRow",
    "Launch",
    "NumberedRow",
    "PendingTrial",
    "STRATEGIES",
    "SearchResult",
    "SearchState",
    "Strategy",
    "StrategySettings",
    "TrialNews",
    "TrialRequest",
    "TrialResult",
    "TrialRunner",
    "anew",
    "best_trial",
    "find_init",
    "landscape_ranks",
    "make_strategy",
    "read_landscape",
    "run_search",
    "write_landscape",
]
