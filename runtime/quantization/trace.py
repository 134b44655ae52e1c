"""Finds out which quantised tensor each quantised module reads, by running the model once.

Between modules, operations that only move values keep a tensor's scale: slices, reshapes, max pooling. Any
other one would be float arithmetic inside the quantised region, which is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.weak import WeakTensorKeyDictionary

from runtime.errors import RunError
from runtime.quantization.graph import Operation, QuantizedGraph
from runtime.quantization.modules.base import QuantizedModule

# Operations that move codes unchanged.
_MOVES: frozenset[Any] = frozenset(
    {
        *(F.max_pool2d, torch.max_pool2d, F.dropout, F.dropout2d),
        *(Tensor.split, Tensor.chunk, Tensor.unbind, torch.split, torch.chunk, torch.unbind),
        *(Tensor.view, Tensor.reshape, Tensor.flatten, Tensor.unflatten, torch.flatten, torch.reshape),
        *(Tensor.permute, Tensor.transpose, torch.permute, torch.transpose),
        *(Tensor.squeeze, Tensor.unsqueeze, torch.squeeze, torch.unsqueeze),
        *(Tensor.expand, Tensor.contiguous, Tensor.clone, Tensor.detach, Tensor.to),
        *(Tensor.__getitem__, Tensor.narrow, torch.narrow, Tensor.flip, torch.flip),
    }
)


def trace(model: nn.Module, run: Callable[[nn.Module], Mapping[str, Tensor]]) -> QuantizedGraph:
    """The graph of a model whose blocks are quantised modules.

    Args:
        model: in the state FLOAT.
        run: calls the model on inputs of the deployed size and returns its raw outputs by name.

    Raises:
        RunError: a module used twice, arithmetic outside of quantised modules, an output that nothing
            quantised made or that other parts read as well.
    """
    tracer = _Tracer({module: name for name, module in model.named_modules()})
    with tracer.watching(model), torch.no_grad(), tracer:
        results = run(model)
    outputs = {}
    for key, value in results.items():
        source = tracer.source(value)
        if source is None:
            raise RunError(f"the output `{key}` comes from no quantised module")
        outputs[key] = source
    return QuantizedGraph(tuple(tracer.operations), dict(tracer.modules), outputs)


class _Tracer(TorchFunctionMode):
    """Follows tensors from the module that made them to those that read them.

    Args:
        names: dotted name of each module.
    """

    def __init__(self, names: Mapping[nn.Module, str]) -> None:
        super().__init__()
        self.names = names
        self._prefixes = tuple(
            f"{name}." for module, name in names.items() if isinstance(module, QuantizedModule)
        )
        self.operations: list[Operation] = []
        self.modules: dict[str, QuantizedModule] = {}
        self._sources: Any = WeakTensorKeyDictionary()
        self._made: dict[str, Tensor] = {}
        self._kept: list[Tensor] = []
        self._stack: list[str] = []  # of names, the innermost module last
        self._callers: dict[str, str] = {}
        self._inside = 0

    def source(self, value: Any) -> str | None:
        """The quantised tensor that `value` is, or is a part of."""
        return self._sources.get(value) if isinstance(value, Tensor) else None

    @contextlib.contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """With hooks on every module of `model`."""
        handles = []
        for module in model.modules():
            if self._inside_of(module):
                continue
            handles.append(module.register_forward_pre_hook(self._enter))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _inside_of(self, module: nn.Module) -> bool:
        """Whether a module is a part of a quantised one."""
        return self.names[module].startswith(self._prefixes)

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        caller = self._place()
        self._stack.append(self.names[module])
        if isinstance(module, QuantizedModule):
            if module.name in self._callers:
                raise RunError(
                    f"the module `{module.name}` is used twice, in `{self._callers[module.name]}` and again "
                    f"in `{caller}`: one set of scales cannot serve both",
                    hint="give each use a module of its own",
                )
            self._callers[module.name] = caller
            self._inside += 1

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._stack.pop()
        if not isinstance(module, QuantizedModule):
            return
        self._inside -= 1
        tensors = [value for value in args if isinstance(value, Tensor)]
        found = [(value, source) for value in tensors if (source := self.source(value)) is not None]
        inputs = tuple(source for _, source in found)
        shapes = tuple(tuple(value.shape) for value in tensors)
        # Sampling points and the image are real numbers, which enter here.
        free = {"input": 1, "grid_sample": 1}.get(module.op, 0)
        if len(inputs) < len(tensors) - free:
            raise RunError(f"an input of `{module.name}` comes from no quantised module")
        if module.passes_codes(shapes, tuple(output.shape)):
            self._mark(output, inputs[0])
            return
        self._mark(output, module.name)
        self._made[module.name] = output
        direct = tuple(value is self._made[source] for value, source in found)
        self.operations.append(Operation(module.name, module.op, inputs, shapes, tuple(output.shape), direct))
        self.modules[module.name] = module

    def _place(self) -> str:
        """The module that is running."""
        return (self._stack[-1] if self._stack else "") or "the model"

    def _mark(self, value: Tensor, source: str) -> None:
        self._sources[value] = source
        self._kept.append(value)

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._inside:
            return func(*args, **kwargs)
        sources = {source for value in _tensors((args, kwargs)) if (source := self.source(value)) is not None}
        result = func(*args, **kwargs)
        if not sources:
            return result
        made = list(_tensors(result))
        if made and (func not in _MOVES or len(sources) > 1):
            place = self._place()
            names = ", ".join(sorted(f"`{source}`" for source in sources))
            raise RunError(
                f"`{resolve_name(func) or func}` in `{place}` computes on quantised tensors ({names}) "
                "outside of the modules that fixed point knows",
                hint="use a module of runtime.models.blocks, such as `Add` or `Concat`, for it",
            )
        for value in made:
            self._mark(value, next(iter(sources)))
        return result


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
