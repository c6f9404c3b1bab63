"""What `import cageflow` names."""

import inspect
import subprocess
import sys
import typing

import cageflow
from tests.unit.test_layers import HEAVY

LIGHT = HEAVY - {"gymnasium", "numpy"}  # the environments are registered, and Gymnasium takes NumPy


def test_every_name_is_there_documented_and_typed() -> None:
    for name in cageflow.__all__:
        value = getattr(cageflow, name)
        assert name in dir(cageflow)
        if name != "__version__":
            assert (value.__doc__ or "").strip(), name
    for name in ("evaluate", "load_network", "load_policy", "read_run", "train"):
        function = getattr(cageflow, name)
        assert typing.get_type_hints(function)["return"] is not type(None), name
        hints = typing.get_type_hints(function)
        assert set(inspect.signature(function).parameters) <= hints.keys(), name


def test_search_is_the_package_and_the_function_whichever_is_asked_for_first() -> None:
    script = (
        "import cageflow, inspect\n{first}\n"
        "import cageflow.search as package\n"
        "from cageflow.search import History\n"
        "assert package is cageflow.search and package.History is History\n"
        "assert 'total_episodes' in inspect.signature(cageflow.search).parameters\n"
        "try: cageflow.search(total_episodes=0)\n"
        "except cageflow.UserError as error: print(error)\n"
    )
    for first in ("", "cageflow.train"):
        run = subprocess.run([sys.executable, "-c", script.format(first=first)], capture_output=True, text=True)
        assert run.stdout.startswith("total_episodes is 0"), run.stderr


def test_import_is_light() -> None:
    script = "import sys, cageflow, cageflow as c\nc.UserError, dir(c)\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert LIGHT & set(run.stdout.split()) == set()


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(cageflow, "dance")
