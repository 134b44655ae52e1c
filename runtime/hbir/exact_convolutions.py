"""Whether this machine computes convolutions exactly: tried before anything depends on it.

Sums of products of integers are exact in float32 as long as a library computes them as such. Winograd and FFT
algorithms, bfloat16 "fast math" and other shortcuts are not; which of them a library takes depends on the
machine, its version and the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.errors import RunError
from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.weighted import Weighted, weight_sum
from runtime.hbir.tensor_type import Shape, TensorType

Executor = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]

# Rows and columns of a trial where algorithms do not depend on the size of the map.
_SIDE = 24
# Samples of such a trial: for several, libraries may take other paths than for one.
_SAMPLES = 2
# Share of the codes in a trial that are random; the others make sums as large as they get.
_RANDOM = 0.1


def check_convolutions(graph: Graph, executor: Callable[[Graph], Executor], *, whole_maps: bool) -> None:
    """Tries one layer of every kind in `graph` on extreme codes.

    Args:
        graph: a valid one.
        executor: makes what runs graphs of one node.
        whole_maps: try maps as large as they are, for one sample: libraries for GPUs choose by size. Smaller
            ones are tried for several samples and in both orders of memory, by which CPU libraries choose.

    Raises:
        RunError: a sum differs from float64's.
    """
    rng = np.random.default_rng(0)
    for trial in _trials(graph, whole_maps):
        (node,), (source,) = trial.nodes, trial.inputs
        codes = _extreme_codes(node, source, rng, samples=1 if whole_maps else _SAMPLES)
        expected, run = _in_double(node, codes), executor(trial)
        for ordered in (codes,) if whole_maps else _orders(codes):
            difference = (run({source.name: ordered})[node.output].cpu().double() - expected).abs()
            if wrong := int((difference > 0).sum()):
                raise RunError(
                    f"this machine computes the convolution `{node.name}` inexactly: {wrong} of "
                    f"{difference.numel()} sums differ from float64's, by up to {float(difference.max()):g}",
                    hint="update torch and onnxruntime, switch reduced precision off, or run on another "
                    "device",
                )


def _trials(graph: Graph, whole_maps: bool) -> Iterator[Graph]:
    """One layer of every kind by itself, without its rescale."""
    seen: set[Hashable] = set()
    for node in graph.nodes:
        if not isinstance(OPERATIONS[node.op], Weighted):
            continue
        source = graph.types[node.inputs[0]]
        shape = source.shape if whole_maps else _smaller(node, source.shape)
        window = {key: value for key, value in node.attributes.items() if key not in ("lo", "hi")}
        weight = node.constants["weight"]
        # As many digits as the sums need: a power of two each.
        size = weight_sum(weight.integers).bit_length()
        kind = (node.op, source.dtype, shape, weight.shape, tuple(window.items()), size)
        if kind not in seen:
            seen.add(kind)
            yield _alone(node, source, shape, window)


def _smaller(node: Node, shape: Shape) -> Shape:
    """One map of at most `_SIDE` rows and columns, or as many as the window covers."""
    if len(shape) < 4:
        return (1, *shape[1:])
    reaches = (
        dilation * (size - 1) + 1
        for dilation, size in zip(node.pair("dilation"), node.constants["weight"].shape[2:], strict=True)
    )
    sides = (min(size, max(reach, _SIDE)) for size, reach in zip(shape[2:], reaches, strict=True))
    return (1, shape[1], *sides)


def _alone(node: Node, source: TensorType, shape: Shape, window: Mapping[str, Attribute]) -> Graph:
    constants = {key: node.constants[key] for key in ("weight", "bias")}
    bare = Node(node.name, node.op, ("x",), "y", window, constants)
    x = TensorType("x", source.dtype, shape, (1.0,))
    shape = OPERATIONS[node.op].output(bare, [x])
    return Graph((x,), (bare,), (TensorType("y", "int32", shape, (1.0,) * shape[1]),), ("y",))


def _extreme_codes(node: Node, source: TensorType, rng: np.random.Generator, *, samples: int) -> Tensor:
    """Each channel at the bound on the side of its weights, with some random codes in between."""
    bound, shape = 2 ** (source.bits - 1), (samples * source.shape[0], *source.shape[1:])
    weight = node.codes("weight")
    towards = np.sign(weight.sum(axis=(0, *range(2, weight.ndim))))
    towards = np.resize(towards, shape[1]).reshape(-1, *[1] * (len(shape) - 2))
    codes = np.broadcast_to(np.where(towards < 0, -bound, bound - 1), shape)
    anything = rng.integers(-bound, bound, size=shape)
    mixed = np.where(rng.random(shape) < _RANDOM, anything, codes)
    return torch.from_numpy(mixed).to(TORCH_TYPES[source.dtype])


def _orders(codes: Tensor) -> Iterator[Tensor]:
    """Maps with their channels outermost in memory, then innermost."""
    yield codes
    if codes.dim() == 4:
        # `contiguous` would leave the strides of a map with one channel, which tell libraries the order.
        yield codes.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format).permute(0, 3, 1, 2)


def _in_double(node: Node, codes: Tensor) -> Tensor:
    """Accumulators in float64 on the CPU, where sums below 2^53 are exact whatever the order."""
    weight = torch.from_numpy(node.codes("weight")).double()
    bias = torch.from_numpy(node.codes("bias")).double()
    if node.op == "linear":
        return codes.double() @ weight.T + bias
    window = (node.pair("stride"), node.pair("padding"), node.pair("dilation"), node.integer("groups"))
    return F.conv2d(codes.double(), weight, bias, *window)
