"""The search over workflow orders: trials, strategies and the loop that joins them.

It gets a function from an order to a trial result and knows nothing of what stands behind it. Importing this package is
cheap; SciPy is imported when a strategy with a model first chooses.
"""

from cageflow import be_called_too
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
    run_search,
)
from cageflow.search.recommend import Recommendation, best_trial, recommend
from cageflow.search.registry import IN_RUNGS, STRATEGIES, make_strategy
from cageflow.search.strategies import (
    Acquisition,
    Choice,
    Exhaustive,
    Strategy,
    StrategySettings,
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
    "IN_RUNGS",
    "Iteration",
    "LANDSCAPE",
    "Landscape",
    "LandscapeRow",
    "Launch",
    "NumberedRow",
    "PendingTrial",
    "Recommendation",
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
    "recommend",
    "run_search",
    "write_landscape",
]

be_called_too(__name__)
