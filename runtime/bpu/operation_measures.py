"""The measures of an operation that march files put limits on; each docstring is what a person reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runtime.bpu.march_data import Limit, March, Numbers
from runtime.bpu.operation import Operation

Measure = Callable[[Operation, March], float]


def rank(operation: Operation, march: March) -> int:
    """dimensions of a tensor"""
    return max(len(shape) for shape in _shapes(operation))


def batch(operation: Operation, march: March) -> int:
    """batch size (N)"""
    return max(shape[0] for shape in _shapes(operation))


def channels(operation: Operation, march: March) -> int:
    """channels of an input or the output"""
    return max(shape[1] for shape in _maps(operation))


def out_channels(operation: Operation, march: March) -> int:
    """output channels"""
    return operation.out_channels


def channels_per_group(operation: Operation, march: March) -> int:
    """input channels of a group"""
    return operation.in_channels // operation.groups


def features(operation: Operation, march: March) -> int:
    """input or output features"""
    return max(operation.in_channels, operation.out_channels)


def height_or_width(operation: Operation, march: March) -> int:
    """height or width in pixels"""
    return max(max(shape[2:], default=1) for shape in _maps(operation))


def pixels(operation: Operation, march: March) -> int:
    """height times width"""
    return max(math.prod(shape[2:]) for shape in _maps(operation))


def tensor_bytes(operation: Operation, march: March) -> int:
    """bytes of a tensor"""
    read = max(math.prod(shape) for shape in operation.in_shapes) * operation.in_bits
    return max(read, math.prod(operation.out_shape) * operation.out_bits) // 8


def aligned_elements(operation: Operation, march: March) -> int:
    """elements of the padded output"""
    shape = operation.out_shape
    if len(shape) < 4:
        return math.prod(shape)
    channel, width = int(march.alignment.in_channels.value), int(march.alignment.width.value)
    return shape[0] * -(-shape[1] // channel) * channel * shape[2] * -(-shape[3] // width) * width


def kernel(operation: Operation, march: March) -> int:
    """height or width of the kernel"""
    return max(operation.kernel)


def window(operation: Operation, march: March) -> int:
    """height or width of a pooling window smaller than the map"""
    return 1 if _is_global(operation) else max(operation.kernel)


def global_pixels(operation: Operation, march: March) -> int:
    """pixels of a globally pooled map"""
    return math.prod(operation.kernel) if _is_global(operation) else 1


def weights_per_output(operation: Operation, march: March) -> int:
    """kernel height times kernel width times input channels of a group"""
    return math.prod(operation.kernel) * channels_per_group(operation, march)


def stride(operation: Operation, march: March) -> int:
    """stride"""
    return 1 if _is_global(operation) else max(operation.stride)


def residual_stride(operation: Operation, march: March) -> int:
    """stride of a convolution with a residual"""
    return max(operation.stride) if len(operation.in_shapes) > 1 else 1


def dilation(operation: Operation, march: March) -> int:
    """dilation"""
    return max(operation.dilation)


def dilated_stride(operation: Operation, march: March) -> int:
    """stride of a dilated convolution"""
    return max(operation.stride) if max(operation.dilation) > 1 else 1


def dilated_out_bits(operation: Operation, march: March) -> int:
    """bits of a dilated convolution's output"""
    return operation.out_bits if max(operation.dilation) > 1 else 8


def padding(operation: Operation, march: March) -> int:
    """padding"""
    return max(operation.padding)


def inputs(operation: Operation, march: March) -> int:
    """number of inputs"""
    return len(operation.in_shapes)


def enlargement(operation: Operation, march: March) -> float:
    """factor by which a side grows"""
    return max(out / size for out, size in _sides(operation))


def reduction(operation: Operation, march: March) -> float:
    """factor by which a side shrinks"""
    return max(size / out for out, size in _sides(operation))


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.__name__: measure
        for measure in (
            *(rank, batch, channels, out_channels, channels_per_group, features, height_or_width, pixels),
            *(tensor_bytes, aligned_elements, kernel, window, global_pixels, weights_per_output, stride),
            *(residual_stride, dilation, dilated_stride, dilated_out_bits, padding, inputs),
            *(enlargement, reduction),
        )
    }
)

_RELATIONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = MappingProxyType(
    {
        "at_most": ("at most", lambda found, bound: found <= bound),
        "below": ("below", lambda found, bound: found < bound),
        "at_least": ("at least", lambda found, bound: found >= bound),
    }
)


@dataclass(frozen=True)
class BrokenLimit:
    """A limit of a march file and what broke it.

    Args:
        limit: as the file has it.
        found: the measure of the operation.
        text: one sentence with limit, value and source.
    """

    limit: Limit
    found: float
    text: str


def broken_limits(march: March, operation: Operation) -> list[str]:
    """What keeps an operation of this shape from the BPU, one sentence a limit with limit, value and source.

    Widths and the operation as such are `March.supports`.
    """
    return [broken.text for broken in limits_broken(march, operation)]


def limits_broken(march: March, operation: Operation) -> list[BrokenLimit]:
    """As `broken_limits`, each with its numbers."""
    rule = march.operations.get(operation.op)
    limits = (*march.general_limits, *(rule.limits if rule else ()))
    return [broken for limit in limits if (broken := _broken(march, operation, limit))]


def limit_in_words(limit: Limit) -> str:
    """Such as `at most 31`, or `one of 1, 2, 4`."""
    bound = limit.bound
    if isinstance(bound, Numbers):
        return "one of " + ", ".join(str(value) for value in bound.value)
    words, _ = _RELATIONS[limit.relation]
    return f"{words} {bound.value:g}" if bound.value % 1 else f"{words} {int(bound.value)}"


def _broken(march: March, operation: Operation, limit: Limit) -> BrokenLimit | None:
    measure, bound = MEASURES[limit.measure], limit.bound
    found = measure(operation, march)
    holds = found in bound.value if isinstance(bound, Numbers) else _holds(limit, found, bound.value)
    if holds:
        return None
    value = f"{found:.4g}" if isinstance(found, float) else str(found)
    text = (
        f"`{operation.op}` on {march.name}: {measure.__doc__} is {value}, must be {limit_in_words(limit)} "
        f"({bound.provenance}: {bound.why})"
    )
    return BrokenLimit(limit, found, text)


def _holds(limit: Limit, found: float, bound: float) -> bool:
    return _RELATIONS[limit.relation][1](found, bound)


def _shapes(operation: Operation) -> tuple[tuple[int, ...], ...]:
    return (*operation.in_shapes, operation.out_shape)


def _maps(operation: Operation) -> tuple[tuple[int, ...], ...]:
    """Without the grid of `grid_sample`, whose last dimension is no width."""
    inputs = operation.in_shapes[:1] if operation.op == "grid_sample" else operation.in_shapes
    return tuple(shape for shape in (*inputs, operation.out_shape) if len(shape) > 1)


def _sides(operation: Operation) -> list[tuple[int, int]]:
    return list(zip(operation.out_shape[2:], operation.in_shapes[0][2:], strict=True))


def _is_global(operation: Operation) -> bool:
    shape = operation.in_shapes[0]
    return operation.op in ("max_pool", "avg_pool") and tuple(shape[2:]) == operation.kernel
