"""A float model becomes a quantised one: replaced, traced, told its rules."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.models.structure import BevStructure
from runtime.quantization.config import QuantizationConfig
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.fuse_add import fuse_adds
from runtime.quantization.graph import QuantizedGraph, attach_graph, listed
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.replace import replace_blocks
from runtime.quantization.rules import apply_rules, check_effects
from runtime.quantization.scale_grid import needs_grid
from runtime.quantization.trace import trace


def convert_structure(
    model: BevStructure, config: QuantizationConfig, *, image_size: tuple[int, int], num_views: int
) -> BevStructure:
    """Convert a BEV model in place, for images of `image_size` = (height, width) pixels.

    Raises:
        RunError: see `convert`.
    """

    def run(shadow: nn.Module) -> Mapping[str, Tensor]:
        assert isinstance(shadow, BevStructure)
        img = torch.empty(num_views, 3, *image_size, device="meta")
        points = torch.empty(num_views, *shadow.view_transformer.grid.shape, 2, device="meta")
        return shadow.raw_outputs(img, points)

    convert(model, config, run)
    return model


def convert(
    model: nn.Module, config: QuantizationConfig, run: Callable[[nn.Module], Mapping[str, Tensor]]
) -> QuantizedGraph:
    """Convert in place, into the state FLOAT.

    Args:
        model: with folded normalisation.
        config: what becomes how precise.
        run: calls a copy of the model, which is on the meta device, with inputs of the deployed size, and
            returns its raw outputs by name.

    Returns:
        the graph, which `graph_of` finds again.

    Raises:
        RunError: what the model computes has no fixed-point form, or a rule does not fit.
    """
    if any(isinstance(module, QuantizedModule) for module in model.modules()):
        raise RunError(
            "the model is quantised already, or a conversion of it has failed", hint="build it anew"
        )
    replace_blocks(model)
    seen = trace(copy.deepcopy(model).to("meta").eval(), run)
    graph = _on(model, seen, config)
    _mark_outputs(graph)
    apply_rules(graph, config)
    fuse_adds(graph)
    _bind_sources(graph)
    check_effects(graph, config)
    attach_graph(model, graph)
    return graph


def _on(model: nn.Module, seen: QuantizedGraph, config: QuantizationConfig) -> QuantizedGraph:
    """The graph of a copy, with the modules of the model itself."""
    modules = {name: module for name, module in model.named_modules() if isinstance(module, QuantizedModule)}
    reached = {module.name: module for module in modules.values()}
    for operation in seen.operations:
        reached[operation.name].input_shapes = operation.input_shapes
    for name in set(reached) - set(seen.modules):
        # It moves codes, or nothing reaches it: a quantiser there would be one that nothing calibrates.
        reached[name].quant = None
    return QuantizedGraph(
        operations=seen.operations,
        modules={name: reached[name] for name in seen.modules},
        outputs=seen.outputs,
        config=config,
    )


def _mark_outputs(graph: QuantizedGraph) -> None:
    """Results leave as real numbers; those of convolutions and linear layers without activation from the
    accumulator, unless a rule gives them codes."""
    for output, name in graph.outputs.items():
        if consumers := graph.consumers(name):
            readers = listed([consumer.name for consumer in consumers])
            raise RunError(
                f"the output `{output}` is the tensor `{name}`, which {readers} reads as well",
                hint="let a layer of its own make the output",
            )
        module = graph.modules[name]
        module.is_output = True
        # An accumulator has no activation: it is a bound of codes.
        if isinstance(module, WeightedModule) and module.quant is not None and module.act is None:
            module.quant.bits = 32


def _bind_sources(graph: QuantizedGraph) -> None:
    """Tell each module the quantisers of its inputs."""
    quants: dict[str, FakeQuant] = {}
    for module in graph.ordered_modules():
        # What leaves as it was summed, or was computed in float, has no codes.
        if module.quant is not None and (module.quant.bits == 32 or (module.keep_float and module.is_output)):
            module.quant = None
        quant = module.quant
        if isinstance(module, WeightedModule) and module.rounded_by is not None:
            quant = module.rounded_by
        if quant is not None:
            quants[module.name] = quant
    for operation in graph.operations:
        graph.modules[operation.name].sources = tuple(quants[name] for name in operation.inputs)
    _limit_multipliers(graph)


def _limit_multipliers(graph: QuantizedGraph) -> None:
    """Tell modules how many bits their multipliers have, and tensors what units their scales are of."""
    bits = graph.config.multiplier_bits
    for module in graph.ordered_modules():
        module.multiplier_bits = bits
        quant = module.quant
        if needs_grid(bits) and quant is not None and not quant.is_fixed:
            quant.unit = 1.0 if module.keep_float else module.unit()
