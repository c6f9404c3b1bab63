"""The rules compile for CUDA too; no device is needed for that, only `pip install 'numba-cuda[cu13]'`.

Whether the code then plays the same episodes `cageflow bench cuda` says, on a machine with a device.
"""

import ast
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

import cageflow.sim
from cageflow.bench.cuda import make_kernels
from cageflow.scenario import Network, load_network
from cageflow.sim.enums import Draw
from cageflow.sim.handover import plain, row
from cageflow.sim.memory import new_memories
from cageflow.sim.red_memory import new_red_memories
from cageflow.sim.state import make_params, new_states

RULES = sorted(Path(cageflow.sim.__file__).parent.glob("*.py"))
CAPABILITY = (8, 0)


def enums_as_numbers(tree: ast.AST) -> list[str]:
    """Where a draw is named and its number not taken: compiled for a CPU that is an index, for CUDA it is none."""
    taken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "value"}
    return [
        f"{ast.unparse(node)}, line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Draw" and id(node) not in taken
    ]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_rules__name_draws_by_their_numbers(path: Path) -> None:
    assert enums_as_numbers(ast.parse(path.read_text())) == []


def test_rules__that_name_a_draw_itself_are_noticed() -> None:
    assert enums_as_numbers(ast.parse("def rule(s):\n    return s.forced[Draw.EXPLOIT]")) == ["Draw.EXPLOIT, line 2"]
    assert {draw.name for draw in Draw}  # the name that is looked for


@pytest.mark.parametrize("name", ["cage2", "plant"])
def test_records__lie_as_a_gpu_can_read_them(name: str) -> None:
    """Each field on a multiple of its own size: a processor reads others too, more slowly."""
    network = load_network(name)
    for record in (
        new_states(network, 1),
        new_memories(network, 1),
        new_red_memories(network, 1),
        row(network.tables),
        row(make_params()),
    ):
        assert plain(record).dtype.isalignedstruct


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("numba_cuda") is None, reason="numba-cuda is not installed")
@pytest.mark.parametrize("name", ["cage2", "plant"])
def test_step__compiles_for_cuda(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import cuda, from_dtype, types
    from numba.cuda import dispatcher

    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=CAPABILITY))
    network: Network = load_network(name)

    records = (new_states(network, 1), new_memories(network, 1), row(network.tables), row(make_params()))
    arrays = [types.Array(from_dtype(plain(record).dtype), 1, "C") for record in records]
    seen, rewards = types.Array(types.uint8, 2, "C"), types.Array(types.float64, 1, "C")
    kernels = make_kernels(network, cuda)
    for kernel, axes in ((kernels.play, 1), (kernels.play_episodes, 2)):
        signature = types.void(*arrays, types.Array(types.int16, axes, "C"), seen, rewards)
        text, _ = cuda.compile_ptx(kernel, signature, cc=CAPABILITY, abi="numba")
        assert ".entry" in text
