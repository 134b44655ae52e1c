"""The quantised operations of a model in the order in which they run, and the tensors between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from runtime.quantization.config import OpName, QuantizationConfig
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.modules.base import QuantizedModule, Shape

_ATTRIBUTE = "quantized_graph"


@dataclass(frozen=True)
class Operation:
    """One quantised module, as it ran.

    Args:
        name: dotted name of the module and of its output.
        op: what it computes.
        inputs: names of the tensors that it reads.
        input_shapes: of these, with the shapes of inputs that are not quantised after them.
        output_shape: of the result.
        direct: of each input, whether it is the tensor as it was made, not a part or a pooled form of it.
    """

    name: str
    op: OpName
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    direct: tuple[bool, ...]


@dataclass
class QuantizedGraph:
    """What is known of a converted model beside its modules.

    Args:
        operations: those that round, in the order in which they run.
        modules: the module of each operation by name.
        outputs: names of the tensors that leave the network, by the name of the output.
        config: what the model was converted with.
        matches: for each rule of the configuration the tensors that it applied to.
    """

    operations: tuple[Operation, ...]
    modules: dict[str, QuantizedModule]
    outputs: dict[str, str]
    config: QuantizationConfig = field(default_factory=QuantizationConfig)
    matches: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def quantisers(self) -> dict[str, FakeQuant]:
        """Every tensor that has a quantiser, in the order in which they arise; sampling points among them."""
        return {
            part.name: part
            for operation in self.operations
            for part in self.modules[operation.name].children()
            if isinstance(part, FakeQuant)
        }

    def consumers(self, tensor: str) -> list[Operation]:
        """The operations that read a tensor."""
        return [operation for operation in self.operations if tensor in operation.inputs]

    def ordered_modules(self) -> Iterator[QuantizedModule]:
        """The modules in the order in which they run."""
        for operation in self.operations:
            yield self.modules[operation.name]


def attach_graph(model: nn.Module, graph: QuantizedGraph) -> None:
    """Make `graph` the graph of `model`; copies of the model get copies of it."""
    setattr(model, _ATTRIBUTE, graph)


def graph_of(model: nn.Module) -> QuantizedGraph:
    """The graph of a converted model.

    Raises:
        ValueError: the model is not converted.
    """
    graph = find_graph(model)
    if graph is None:
        raise ValueError(f"{type(model).__name__} is a float model: convert it first")
    return graph


def find_graph(model: nn.Module) -> QuantizedGraph | None:
    """The graph of a converted model, None for a float one."""
    graph = getattr(model, _ATTRIBUTE, None)
    return graph if isinstance(graph, QuantizedGraph) else None


def listed(names: Sequence[str], shown: int = 5) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - shown
    return ", ".join(f"`{name}`" for name in names[:shown]) + (f" and {rest} more" if rest > 0 else "")
