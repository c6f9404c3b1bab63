"""cageflow finds the order in which a network's compromised machines should be fixed, and trains its defender."""

from importlib.metadata import version

__version__ = version("cageflow")

__all__ = ["__version__"]
