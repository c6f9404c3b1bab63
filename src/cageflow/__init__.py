"""cageflow finds the order in which a network's compromised machines should be fixed, and trains its defender."""

from cageflow.startup import begin_loading, is_command

begin_loading()  # before what takes its time to load

from importlib import import_module  # noqa: E402

from cageflow.kernel_cache import ensure_kernel_cache  # noqa: E402

__all__ = ["__version__"]

ensure_kernel_cache()
if not is_command():  # a command loads Gymnasium, half of the time to its help, when it plays
    import_module("cageflow.envs")


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: what finds it takes its time to load."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("cageflow")
