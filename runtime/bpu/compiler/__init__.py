"""From a fixed-point graph to a program: `compile_graph(graph, march, options)`.

| module | holds |
|---|---|
| `options` | what a person chooses |
| `compile` | the whole way |
| `supported` | refusal of what the march does not run |
| `sections` | layers that run in turns, one map a turn |
| `shared_weights` | layers that had better compute all maps in one turn |
| `box`, `parts` | what a part of a result is made of |
| `groups`, `fusion` | layers that are computed together, part by part |
| `tiling`, `estimate` | into how many parts, by the cost model |
| `residency` | tensors that stay on the chip |
| `plan`, `attempts` | a section's groups, parts and residents; with more caution until they fit |
| `buffers`, `constants`, `drafting` | instructions before anything has an address |
| `prefetch` | their order: transfers run ahead |
| `allocation`, `placement`, `ddr` | addresses |
| `dependencies`, `instructions` | what waits for what; instructions |
| `instruction_cycles` | how long each takes |
"""

from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.compiler.options import CompilerOptions

__all__ = ["CompilerOptions", "compile_graph"]
