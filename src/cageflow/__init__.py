"""cageflow finds the order in which a network's compromised machines should be fixed, and trains its defender.

From Python: `search` and `train` make runs, `read_run` reads one, `load_policy` gives a policy that answers
observations, `evaluate` judges policies, `load_network` reads a network. The game itself is
`gymnasium.make("cageflow/Cage2-v0")`.
"""

from cageflow.startup import begin_loading, is_command

begin_loading()  # before what takes its time to load

import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from types import ModuleType  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from cageflow.errors import UserError  # noqa: E402
from cageflow.kernel_cache import ensure_kernel_cache  # noqa: E402

if TYPE_CHECKING:
    from cageflow.api.evaluating import Evaluations, evaluate
    from cageflow.api.policies import LoadedPolicy, load_policy
    from cageflow.api.progress import Progress
    from cageflow.api.results import Run, SearchResult, TrainResult, read_run
    from cageflow.api.runs import search, train
    from cageflow.envs.parallel import Cage2ParallelEnv
    from cageflow.scenario import load_network

    __version__: str

__all__ = [
    "Evaluations",
    "LoadedPolicy",
    "Progress",
    "Run",
    "SearchResult",
    "TrainResult",
    "UserError",
    "__version__",
    "evaluate",
    "load_network",
    "load_policy",
    "parallel_env",
    "read_run",
    "search",
    "train",
]

_FACE = {
    "Evaluations": "cageflow.api.evaluating",
    "LoadedPolicy": "cageflow.api.policies",
    "Progress": "cageflow.api.progress",
    "Run": "cageflow.api.results",
    "SearchResult": "cageflow.api.results",
    "TrainResult": "cageflow.api.results",
    "evaluate": "cageflow.api.evaluating",
    "load_network": "cageflow.scenario",
    "load_policy": "cageflow.api.policies",
    "read_run": "cageflow.api.results",
    "train": "cageflow.api.runs",
}
"""Where each name stands; what holds it takes its time to load, and is loaded when it is asked for."""


class _SearchPackage(ModuleType):
    """`cageflow.search`: the package of that name, and the function when it is called.

    Python puts a package into the one around it wherever it is loaded, so that no function can keep its place.
    """

    def __call__(self, **settings: Any) -> Any:
        """See `cageflow.api.runs.search`."""
        return import_module("cageflow.api.runs").search(**settings)

    @property
    def __signature__(self) -> Any:
        from inspect import signature

        return signature(import_module("cageflow.api.runs").search)


def be_called_too(package: str) -> None:
    """Have the package `search` be the function when it is called; it says so itself when it is loaded."""
    sys.modules[package].__class__ = _SearchPackage


ensure_kernel_cache()
if not is_command():  # a command loads Gymnasium, half of the time to its help, when it plays
    import_module("cageflow.envs")


def parallel_env(**settings: Any) -> "Cage2ParallelEnv":
    """The game as both sides play it, PettingZoo's ParallelEnv: see `cageflow.envs.parallel.Cage2ParallelEnv`.

    Args:
        settings: as there.

    Raises:
        UserError: one is not possible, or PettingZoo is not installed.
    """
    try:
        import_module("pettingzoo")
    except ImportError as error:
        raise UserError('PettingZoo is not installed; pip install "cageflow[pettingzoo]" installs it.') from error
    env: Cage2ParallelEnv = import_module("cageflow.envs.parallel").Cage2ParallelEnv(**settings)
    return env


if not TYPE_CHECKING:  # to a type checker any name would be one

    def __getattr__(name: str) -> Any:
        """What stands in `__all__`, looked up when asked for."""
        if name in _FACE:
            value = getattr(import_module(_FACE[name]), name)
            globals()[name] = value
            return value
        if name == "search":
            return import_module("cageflow.search")
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("cageflow")


def __dir__() -> list[str]:
    """The names for users."""
    return sorted(__all__)
