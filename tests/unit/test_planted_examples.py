"""Worked examples notice the faults that they are for: each is planted."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.planted_examples import FAULTS


@pytest.fixture(scope="module")
def said():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.helpers.planted_examples"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=220,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault__is_noticed(fault, said):
    assert said["said"][fault.name] is not None


def test_examples__pass_without_a_fault(said):
    assert {name: words for name, words in said["without a fault"].items() if words is not None} == {}


def test_faults__have_names_of_their_own():
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []
