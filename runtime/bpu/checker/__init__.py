"""Whether a march runs a graph, node by node: before anything is trained.

| module | holds |
|---|---|
| `check` | `check_graph`: all rules on all nodes |
| `subject` | one node as the rules see it |
| `finding` | what a rule says |
| `placement` | rules that keep a node from the BPU |
| `widths` | requested and granted types |
| `sums` | how large accumulators can get |
| `multipliers` | significant bits of rescaling |
| `padding` | work that is padding |
| `grid_precision` | whether points reach every pixel |
| `on_chip_memory` | what passes through DDR |
| `repeated_modules` | one module at two places |
| `suggestions` | what would save or mend, one line each |
| `limit_advice` | what to do about a broken limit |
| `report` | the result |
| `text_report`, `json_report` | its two forms |
| `supported_ops_page` | docs/supported_ops.md |
"""
