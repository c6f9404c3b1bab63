"""A graph of ONNX operators, written one node after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper


class GraphBuilder:
    """Collects the nodes and constants of a graph; every value is known by its name."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []

    def input(self, name: str, dtype: npt.DTypeLike, *shape: int) -> str:
        """Declare an input (N, *shape); returns its name."""
        self._inputs.append(_value(name, dtype, shape))
        return name

    def output(self, name: str, dtype: npt.DTypeLike, *shape: int) -> None:
        """Declare a value (N, *shape) that there is as an output."""
        self._outputs.append(_value(name, dtype, shape))

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add a constant, once if it is asked for again; returns its name."""
        if all(known.name != name for known in self._constants):
            self._constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add an operator of one output; returns the name of that, a new one if none is given."""
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def columns(self, value: str, first: int, last: int) -> str:
        """Columns `first` to `last`, that one left out, of a value (N, C)."""
        name = f"{value}.{first}.{last}"
        bounds = zip(("first", "last", "axis"), (first, last, 1), strict=True)
        return self.node("Slice", value, *(self.constant(f"{name}.{word}", np.array([x])) for word, x in bounds))

    def lookup(self, table: str, keys: str) -> str:
        """Rows of a constant (K, ...) by keys of any shape, int64."""
        return self.node("Gather", table, keys, axis=0)

    def unsqueeze(self, value: str, axis: int) -> str:
        """A value with a new axis of length 1."""
        return self.node("Unsqueeze", value, self.constant(f"axis.{axis}", np.array([axis])))

    def reshape(self, value: str, *shape: int) -> str:
        """A value (N, ...) as (N, *shape)."""
        name = ".".join(map(str, ("shape", *shape)))
        return self.node("Reshape", value, self.constant(name, np.array([-1, *shape])))

    def number(self, value: float) -> str:
        """A constant float32."""
        return self.constant(f"number.{value:g}", np.float32(value))

    def is_positive(self, value: str) -> str:
        """A bool: whether numbers are above 0."""
        return self.node("Greater", value, self.number(0))

    def to_float(self, value: str) -> str:
        """A bool, or a whole number, as float32."""
        return self.node("Cast", value, to=TensorProto.FLOAT)

    def to_int(self, value: str) -> str:
        """Whole numbers of float32 as int64."""
        return self.node("Cast", value, to=TensorProto.INT64)

    def build(self, name: str, words: str) -> GraphProto:
        """The graph.

        Args:
            name: of the graph.
            words: its description.
        """
        return helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants, doc_string=words)


def _value(name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["N", *shape])
