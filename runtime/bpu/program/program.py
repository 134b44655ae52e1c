"""A compiled network: memories, layers, instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.bpu.program.instruction import Block
from runtime.bpu.program.region import Region
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import TensorType


@dataclass(frozen=True)
class Layer:
    """A node of the graph that was compiled; its constants lie in DDR.

    Args:
        name: of the node.
        op: a key of `runtime.hbir.ops.OPERATIONS`.
        inputs: tensors that it reads.
        output: the tensor that it makes.
        attributes: as the operation defines them.
        constants: whole arrays in DDR.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    constants: Mapping[str, Region] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """What a chip of one march runs for one sample.

    DDR holds `constants` from address 0 on, then inputs, results and what does not stay on the chip. On the
    chip nothing is defined before it is written.

    Args:
        march: name of the march.
        march_digest: SHA-256 of the march's content.
        source: digest of the graph that was compiled.
        options: of the compiler, by name.
        inputs: what the network is given, for one sample.
        tensors: what the layers make, one for each, in their order.
        outputs: names of the tensors that are the network's results.
        layers: in the order of the graph.
        homes: where each input and each result lies in DDR, whole.
        chip_bytes: size of the memory on the chip.
        ddr_bytes: how much of DDR is used.
        constants: content of DDR before the first run.
        blocks: one after the other.
    """

    march: str
    march_digest: str
    source: str
    options: Mapping[str, int | str]
    inputs: tuple[TensorType, ...]
    tensors: tuple[TensorType, ...]
    outputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    homes: Mapping[str, Region]
    chip_bytes: int
    ddr_bytes: int
    constants: bytes
    blocks: tuple[Block, ...]

    @property
    def types(self) -> Mapping[str, TensorType]:
        """Every tensor by its name."""
        return {tensor.name: tensor for tensor in (*self.inputs, *self.tensors)}
