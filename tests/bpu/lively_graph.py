"""A graph of every operation in which nothing vanishes: codes spread over their range, and all are results.

For tests that change one thing and must see it: no layer saturates, rounds everything to a few codes, or
hides what another one makes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import Constant, DType, TensorType
from runtime.hbir.validate import validate
from runtime.quantization.arithmetic.rescale import common_multipliers, multiplier

Int64 = NDArray[np.int64]
# Standard deviation of the codes of every result, in parts of the largest code.
_SPREAD = 0.2
# Share of codes that may be at a bound.
_CLIPPED = 0.03


def lively_graph(rng: np.random.Generator) -> tuple[Graph, dict[str, Tensor]]:
    """The graph, and codes for one sample."""
    made = _Making(rng)
    made.input("img", "int8", rng.integers(-128, 128, (2, 4, 10, 12)))
    made.input("points", "int16", rng.integers(0, 8 * 16, (2, 7, 6, 2)))
    made.conv("stem", ["img"], outputs=8)
    made.conv("depthwise", ["stem", "stem"], outputs=8, groups=8)
    made.conv("down", ["depthwise"], outputs=6, stride=2, dtype="int16")
    made.moves("pool", "max_pool", ["stem"], kernel=(3, 3), stride=(2, 2), padding=(1, 1))
    made.concat("both", ["pool", "down"])
    made.rescaled("grown", "resize_bilinear", ["both"], 2**16, size=(9, 11))
    made.moves("nearest", "resize_nearest", ["pool"], size=(9, 11))
    made.rescaled("warped", "grid_sample", ["grown", "points"], 2**8, fraction_bits=4)
    made.rescaled("views", "view_sum", ["warped"], 1, num_views=2)
    made.moves("some", "slice", ["grown"], axis=1, start=3, stop=11)
    made.add("added", ["some", "nearest"])
    made.rescaled("mean", "avg_pool", ["added"], 99, kernel=(9, 11), stride=(9, 11))
    made.conv("gate", ["mean"], outputs=8, side=1)
    made.lookup("table", "gate")
    made.rescaled("gated", "multiply", ["added", "table"], 1)
    made.moves("mirrored", "flip", ["gated"], axes=(2, 3))
    made.moves("turned", "transpose", ["mirrored"], order=(0, 1, 3, 2))
    made.moves("flat", "reshape", ["turned"], shape=(8 * 11 * 9,))
    made.linear("classes", "flat", outputs=5)
    made.conv("head", ["views"], outputs=3, dtype="int32")
    return made.finish()


class _Making:
    """Nodes one by one, each rescaled by what it makes of the codes at hand."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.types: dict[str, TensorType] = {}
        self.codes: dict[str, Int64] = {}
        self.inputs: list[str] = []
        self.nodes: list[Node] = []

    def finish(self) -> tuple[Graph, dict[str, Tensor]]:
        inputs = tuple(self.types[name] for name in self.inputs)
        tensors = tuple(self.types[node.output] for node in self.nodes)
        graph = validate(Graph(inputs, tuple(self.nodes), tensors, tuple(x.name for x in tensors)))
        codes = {x.name: torch.from_numpy(self.codes[x.name]).to(TORCH_TYPES[x.dtype]) for x in inputs}
        return graph, codes

    def input(self, name: str, dtype: DType, codes: Int64) -> None:
        self.types[name] = TensorType(name, dtype, codes.shape, (1.0,))
        self.codes[name] = codes.astype(np.int64)
        self.inputs.append(name)

    def _append(
        self,
        name: str,
        op: str,
        inputs: list[str],
        dtype: DType,
        attributes: Mapping[str, Attribute],
        constants: Mapping[str, Constant] | None = None,
    ) -> None:
        node = Node(name, op, tuple(inputs), name, dict(attributes), dict(constants or {}))
        types = [self.types[key] for key in inputs]
        shape = OPERATIONS[op].output(node, types)
        scale = (1.0,) * (shape[1] if dtype == "int32" else 1)
        self.types[name] = TensorType(name, dtype, shape, scale)
        self.codes[name] = OPERATIONS[op].reference(node, [self.codes[key] for key in inputs], types)
        self.nodes.append(node)

    def moves(self, name: str, op: str, inputs: list[str], **attributes: Attribute) -> None:
        self._append(name, op, inputs, self.types[inputs[0]].dtype, attributes)

    def _ratio(self, values: Int64, dtype: DType) -> float:
        return float(np.iinfo(dtype).max * _SPREAD / values.std())

    def rescaled(
        self, name: str, op: str, inputs: list[str], weights: int, dtype: DType = "int8", **more: Attribute
    ) -> None:
        """An operation with one rescale; its weights add up to `weights`."""
        bounds: dict[str, Attribute] = {"lo": np.iinfo(dtype).min, "hi": np.iinfo(dtype).max}
        largest = np.abs(self.codes[inputs[0]]).max()
        for power in range(8, -8, -1):
            m, k = multiplier(np.iinfo(dtype).max / largest / weights * 2.0**power)
            attributes = {**more, **bounds, "multiplier": int(m), "shift": int(k)}
            self._append(name, op, inputs, dtype, attributes)
            clipped = np.isin(self.codes[name], list(bounds.values())).mean()
            if clipped < _CLIPPED:
                return
            self.nodes.pop()
        raise AssertionError(f"{name} is clipped at any scale")

    def conv(
        self,
        name: str,
        inputs: list[str],
        *,
        outputs: int,
        stride: int = 1,
        groups: int = 1,
        side: int = 3,
        dtype: DType = "int8",
    ) -> None:
        channels = self.types[inputs[0]].shape[1]
        window: dict[str, Attribute] = {
            "groups": groups,
            "stride": (stride, stride),
            "padding": (side // 2, side // 2),
            "dilation": (1, 1),
        }
        weight = self.rng.integers(-127, 128, (outputs, channels // groups, side, side))
        self._weighted(name, "conv", inputs, window, weight, dtype)

    def linear(self, name: str, x: str, *, outputs: int, dtype: DType = "int8") -> None:
        weight = self.rng.integers(-127, 128, (outputs, self.types[x].shape[1]))
        self._weighted(name, "linear", [x], {}, weight, dtype)

    def _weighted(
        self,
        name: str,
        op: str,
        inputs: list[str],
        window: dict[str, Attribute],
        weight: Int64,
        dtype: DType,
    ) -> None:
        outputs = len(weight)
        constants = {
            "weight": Constant.of(weight, "int8"),
            "bias": Constant.of(self.rng.integers(-20000, 20000, outputs), "int32"),
        }
        self._append(name, op, inputs[:1], "int32", window, constants)
        if dtype == "int32":
            return
        sums = self.codes[name]
        self.nodes.pop()
        # A multiplier of its own for each channel, so that none can stand for another.
        m, k = multiplier(self._ratio(sums, dtype) * self.rng.uniform(0.7, 1.4, outputs))
        constants |= {"multiplier": Constant.of(m, "int16"), "shift": Constant.of(k, "int8")}
        if len(inputs) > 1:
            residual = np.exp2(k.astype(np.float64)) * self._ratio(self.codes[inputs[1]], dtype)
            constants["residual_multiplier"] = Constant.of(residual.astype(np.int64), "int64")
        self._append(
            name,
            op,
            inputs,
            dtype,
            {**window, "lo": np.iinfo(dtype).min, "hi": np.iinfo(dtype).max},
            constants,
        )

    def concat(self, name: str, inputs: list[str]) -> None:
        pairs = [multiplier(self._ratio(self.codes[key], "int8")) for key in inputs]
        attributes: dict[str, Attribute] = {
            "multipliers": tuple(int(m) for m, _ in pairs),
            "shifts": tuple(int(k) for _, k in pairs),
        }
        self._append(name, "concat", inputs, "int8", {**attributes, "lo": -128, "hi": 127})

    def add(self, name: str, inputs: list[str]) -> None:
        found, shift = common_multipliers([self._ratio(self.codes[key], "int8") * 0.7 for key in inputs])
        attributes: dict[str, Attribute] = {"multipliers": tuple(found.tolist()), "shift": shift}
        self._append(name, "add", inputs, "int8", {**attributes, "lo": -128, "hi": 127})

    def lookup(self, name: str, x: str) -> None:
        """Another code for each one."""
        table = Constant.of(self.rng.permutation(np.arange(-128, 128)), "int8")
        self._append(name, "lookup", [x], "int8", {"lo": -128, "hi": 127}, {"table": table})
