"""What an instruction does to the memories."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
import torch
from torch import Tensor

from runtime.bpu.program.instruction import Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.memory import Array, Memory
from runtime.bpu.simulator.part_kernel import Part, part_kernel
from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.graph import Node
from runtime.hbir.ops.operation import Kernel
from runtime.hbir.tensor_type import Constant, Shape, TensorType

_KEPT = 64
"""Kernels that wait for another part of the same shape and constants."""


class Units:
    """All units of a chip: they read regions, compute and write.

    Args:
        program: a verified one.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._types = program.types
        self._kernels: OrderedDict[Hashable, Kernel] = OrderedDict()

    def execute(self, instruction: Instruction, memories: dict[str, Memory]) -> None:
        """Run an instruction whose regions have no step.

        Raises:
            ValueError: it reads what nothing has written.
            RunError: its inputs do not give exactly its output.
        """
        read = [memories[region.memory].read(region) for region in instruction.inputs]
        if instruction.moves:
            memories[instruction.output.memory].write(instruction.output, read[0])
            return
        constants = tuple(
            (key, Constant(region.dtype, region.shape, _packed(memories[region.memory].read(region))))
            for key, region in instruction.constants.items()
        )
        kernel = self._kernel(instruction, constants)
        with torch.no_grad():
            codes = kernel(*(_floats(array) for array in read))
        values = codes.to(TORCH_TYPES[instruction.output.dtype]).numpy()
        memories[instruction.output.memory].write(instruction.output, values)

    def _kernel(self, instruction: Instruction, constants: tuple[tuple[str, Constant], ...]) -> Kernel:
        """Made anew only if the constants, as they lie on the chip, or the shapes are others."""
        shapes = tuple(region.shape for region in instruction.inputs)
        window = tuple(sorted(instruction.window.items()))
        key = (instruction.layer, shapes, instruction.output.shape, window, constants)
        if key in self._kernels:
            self._kernels.move_to_end(key)
        else:
            self._kernels[key] = part_kernel(self._part(instruction, shapes, constants))
            if len(self._kernels) > _KEPT:
                self._kernels.popitem(last=False)
        return self._kernels[key]

    def _part(
        self, instruction: Instruction, shapes: tuple[Shape, ...], constants: tuple[tuple[str, Constant], ...]
    ) -> Part:
        layer = self._program.layers[instruction.layer]
        whole = [self._types[name] for name in layer.inputs]
        return Part(
            Node(layer.name, layer.op, layer.inputs, layer.output, layer.attributes, dict(constants)),
            whole,
            [
                TensorType(tensor.name, tensor.dtype, shape, tensor.scale)
                for tensor, shape in zip(whole, shapes, strict=True)
            ],
            instruction.output.shape,
            self._types[layer.output].shape,
            instruction.window,
        )


def _packed(array: Array) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def _floats(array: Array) -> Tensor:
    """Codes as float32, as the kernels take them; maps with channels innermost."""
    codes = torch.from_numpy(array)
    if codes.dim() == 4:
        return codes.to(torch.float32, memory_format=torch.channels_last)
    return codes.to(torch.float32)
