"""Runs a float model again and again, each time from one operation on: what lies before is remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor

from runtime.quantization.graph import QuantizedGraph


class Replay:
    """Inside of the context, operations before `start` return what they computed when they last ran.

    Move `start` forwards, in the order of the graph, and change what operations from `start` on do: only they
    are computed. Remembered are the tensors that later operations and the results still need. A replay is for
    one batch.

    Args:
        graph: of the model, in the state FLOAT when an operation is first passed.
    """

    def __init__(self, graph: QuantizedGraph) -> None:
        self.graph = graph
        self._start = self._ran_from = 0
        self._position = {operation.name: index for index, operation in enumerate(graph.operations)}
        self._last_use = self._last_uses()
        self._known: dict[str, Tensor] = {}
        self._unneeded: dict[str, tuple[torch.Size, torch.dtype, torch.device]] = {}

    def __enter__(self) -> Self:
        for name, module in self.graph.modules.items():
            # An attribute of the instance goes before the method of the class.
            module.__dict__["forward"] = partial(self._forward, name, module.forward)
        return self

    def __exit__(self, *_: object) -> None:
        for module in self.graph.modules.values():
            del module.__dict__["forward"]
        self._known.clear()

    def start_at(self, name: str) -> None:
        """From now on compute the operation `name` and all after it.

        Raises:
            ValueError: that is a step back.
        """
        start = self._position[name]
        if start < self._start:
            raise ValueError(f"`{name}` comes before the operation that the replay is at")
        self._start = start
        # What the last run did not compute may still need tensors that no operation from `start` on reads.
        for known in [known for known in self._known if self._last_use[known] < self._ran_from]:
            tensor = self._known.pop(known)
            self._unneeded[known] = (tensor.shape, tensor.dtype, tensor.device)

    def _forward(self, name: str, compute: Callable[..., Tensor], *inputs: Any) -> Tensor:
        self._ran_from = self._start
        if self._position[name] >= self._start:
            return compute(*inputs)
        if name in self._unneeded:
            shape, dtype, device = self._unneeded[name]
            return torch.zeros((), dtype=dtype, device=device).expand(shape)
        if name not in self._known:
            self._known[name] = compute(*inputs)
        return self._known[name]

    def _last_uses(self) -> dict[str, int]:
        """The position of the last operation that reads each tensor; results are read after all of them."""
        last = dict.fromkeys(self._position, -1)
        for index, operation in enumerate(self.graph.operations):
            last.update(dict.fromkeys(operation.inputs, index))
        last.update(dict.fromkeys(self.graph.outputs.values(), len(self.graph.operations)))
        return last
