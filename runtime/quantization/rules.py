"""Applies the rules of a configuration to the tensors of a graph, and tells what each rule matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.errors import RunError
from runtime.quantization.config import OpName, QuantizationConfig, QuantizationRule
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.graph import QuantizedGraph, listed
from runtime.quantization.modules.base import QuantizedModule

_ACCUMULATES: tuple[OpName, ...] = ("conv", "linear")


@dataclass(frozen=True)
class _Tensor:
    """A tensor that rules can speak of."""

    name: str
    ops: tuple[OpName, ...]
    module: QuantizedModule
    quant: FakeQuant


def apply_rules(graph: QuantizedGraph, config: QuantizationConfig) -> None:
    """Set bits, observers, fixed scales and float islands; `graph.matches` says which rule did what.

    Raises:
        RunError: a rule matches nothing, or asks for what its tensor cannot have.
    """
    tensors = _tensors(graph)
    for tensor in tensors:
        if not tensor.quant.is_fixed:
            tensor.quant.observer_name = config.observer
    for rule in config.rules:
        matched = [tensor for tensor in tensors if rule.matches(tensor.name, tensor.ops)]
        graph.matches.append((str(rule), tuple(tensor.name for tensor in matched)))
        if not matched:
            names = listed([tensor.name for tensor in tensors], 8)
            raise RunError(
                f"the quantisation rule {rule} matches no tensor",
                hint=f"names are dotted paths of the model, such as {names}",
            )
        for tensor in matched:
            _apply(rule, tensor)


def check_effects(graph: QuantizedGraph, config: QuantizationConfig) -> None:
    """Refuse rules that set only what no longer is: of tensors that stay accumulators.

    Raises:
        RunError: such a rule.
    """
    quants = graph.quantisers()
    for rule, (_, names) in zip(config.rules, graph.matches, strict=True):
        if rule.keep_float or rule.bits == 32 or any(name in quants for name in names):
            continue
        raise RunError(
            f"the rule {rule} has no effect: {listed(names)} stays as it was summed",
            hint="for a convolution that a sum takes up, name the sum; for a result, set `bits` to 8 or 16",
        )


def describe_matches(matches: Sequence[tuple[str, tuple[str, ...]]]) -> list[str]:
    """One line a rule: what it says and which tensors it is about."""
    return [
        f"rule {rule}: {len(names)} tensor{'' if len(names) == 1 else 's'}: {listed(names)}"
        for rule, names in matches
    ]


def _tensors(graph: QuantizedGraph) -> list[_Tensor]:
    found = []
    leaving = set(graph.outputs.values())
    for module in graph.ordered_modules():
        for key, part in module.named_children():
            if not isinstance(part, FakeQuant):
                continue
            if key == "points":
                ops: tuple[OpName, ...] = ("points",)
            elif part.name in leaving:
                # What holds inside the network, such as int16 for all convolutions, is not meant for its
                # results.
                ops = ("output",)
            else:
                ops = (module.op,)
            found.append(_Tensor(part.name, ops, module, part))
    return found


def _apply(rule: QuantizationRule, tensor: _Tensor) -> None:
    quant, module = tensor.quant, tensor.module
    if rule.keep_float:
        if tensor.ops in (("points",), ("input",)):
            raise RunError(
                f"the rule {rule} keeps `{tensor.name}` in float, which codes must enter the network"
            )
        module.keep_float = True
        return
    accumulates = module.op in _ACCUMULATES and module.act is None
    if rule.bits == 32 and (tensor.ops != ("output",) or not accumulates):
        made = f"`{module.op}`" + ("" if module.act is None else " with an activation")
        raise RunError(
            f"the rule {rule} asks for int32 at `{tensor.name}`, a tensor of kind `{tensor.ops[0]}` made by "
            f"{made}",
            hint="32 bits are for results that leave the network from a convolution or linear layer, as they "
            "were summed",
        )
    if rule.bits is not None:
        quant.bits = rule.bits
    if rule.scale is not None:
        quant.fix(rule.scale)
    elif rule.observer is not None:
        if tensor.ops == ("points",):
            raise RunError(
                f"the rule {rule} observes `{tensor.name}`: sampling points have a step, not a range"
            )
        quant.observer_name = rule.observer
