"""The search over workflow orders: trials, strategies and the loop that joins them.

It gets a function from an order to a trial result and knows nothing of what stands behind it. Importing this package is
cheap; BoTorch is imported when a strategy with a model first chooses.
"""

from cageflow.search.loop import Budget, Iteration, SearchResult, SearchState, best_trial, run_search
from cageflow.search.strategies import (
    STRATEGIES,
    Acquisition,
    Choice,
    Strategy,
    StrategySettings,
    make_strategy,
)
from cageflow.search.trial import History, TrialRequest, TrialResult

__all__ = [
    "STRATEGIES",
    "Acquisition",
    "Budget",
    "Choice",
    "History",
    "Iteration",
    "SearchResult",
    "SearchState",
    "Strategy",
    "StrategySettings",
    "TrialRequest",
    "TrialResult",
    "best_trial",
    "make_strategy",
    "run_search",
]
