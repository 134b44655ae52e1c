"""The page of the graph and its operations, docs/hbir.md: `python -m runtime.hbir.page > docs/hbir.md`."""

from __future__ import annotations

import inspect

from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.operation import Operation

_INTRO = """\
# HBIR

Generated from `runtime/hbir/ops/` by `python -m runtime.hbir.page`; change the docstrings there, not this
page.

The fixed-point model as a flat graph of named nodes between int8, int16 and int32 tensors. On disk it is
ONNX, `model.hbir.onnx`: every node calls a function of the file whose body is standard operations on
integers that floating point holds exactly, so stock onnxruntime gives the same bits on any CPU.

## Inputs and results

| tensor | type | scale | who computes it |
|---|---|---|---|
| `img` | int8 (views, 3, H, W) | 1/128: normalised YUV is the byte less 128 | camera, host |
| `points` | int16 (views, h, w, 2) | a power of two, pixels of the sampled map | host, once for each rig |
| results | int32 accumulators; int8, int16 by rule | one a channel; one | host, times the scale |

Shapes are those of one sample. The first axis counts maps, and no operation but `view_sum` changes it: n
samples have n times as many. `runtime.hbir.codes` turns real numbers into codes and back.

## Executors

| class | what it is |
|---|---|
| `ReferenceExecutor` | numpy, int64, slow: the definition |
| `TorchExecutor` | the kernels of evaluation and training, on a CPU or GPU |
| `OnnxRuntimeExecutor` | stock onnxruntime on a CPU |

All give the same integers. When the last two start, they try a layer of every kind on extreme codes against
float64: libraries may choose Winograd, FFT or reduced precision, which are not exact, and then are refused.

## The file

| part | holds |
|---|---|
| nodes | operation and form in the type (`Conv_add`: with residual), the module in the name |
| initialisers | `<module>:weight`, `:bias`, `:multiplier`, `:shift`, ... as integers |
| types | element type and shape of every tensor |
| metadata | `format`, `version`, `scales` of all tensors as JSON, SHA-256 `digest` of everything else |

Equal graphs give equal bytes. A file is read only if encoding its graph gives the same file again; sizes,
names, order, multipliers and accumulators are checked before. Constants in other files are never opened.

## Operations

q are codes of the inputs, acc sums of products, m multipliers, k shifts; `>>` rounds down, and every
operation rounds once, if at all.
"""


def page() -> str:
    """The whole page in Markdown."""
    return _INTRO + "".join(_section(operation) for operation in OPERATIONS.values())


def _section(operation: Operation) -> str:
    lines = [f"\n### {operation.name}\n", inspect.getdoc(operation) or "", ""]
    attributes = [f"`{key}`" for key in operation.scalars]
    attributes += [f"`{key}` (list)" for key in operation.lists]
    lines.append(f"Attributes: {', '.join(attributes)}.")
    if operation.constants:
        constants = (f"`{key}` {' or '.join(dtypes)}" for key, dtypes in operation.constants.items())
        lines.append(f"Constants: {', '.join(constants)}.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
