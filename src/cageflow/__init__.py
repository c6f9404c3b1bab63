"""cageflow finds the order in which a network's compromised machines should be fixed, and trains its defender."""

from cageflow.startup import begin_loading

begin_loading()  # before what takes its time to load

from importlib.metadata import version  # noqa: E402

import gymnasium  # noqa: E402

from cageflow.kernel_cache import ensure_kernel_cache  # noqa: E402

__version__ = version("cageflow")

__all__ = ["__version__"]

ensure_kernel_cache()
gymnasium.register(
    "cageflow/Cage2-v0",
    entry_point="cageflow.envs.single:Cage2Env",
    vector_entry_point="cageflow.envs.vector:Cage2VectorEnv",
)
