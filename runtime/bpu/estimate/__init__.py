"""Time of any network on any chip: of a `torch.export` program, a float ONNX file, a fixed-point graph.

| module | holds |
|---|---|
| `estimate` | operations and a march to cycles, milliseconds, bytes |
| `text`, `document` | the same for people and as JSON |
| `subject` | what an estimate is of |
| `program`, `aten_calls` | programs of `torch.export` |
| `onnx_network`, `onnx_calls` | float ONNX graphs |
| `onnx_file`, `onnx_constants`, `onnx_values` | reading them: bounds, shapes, constants |
| `float_graph` | the vocabulary that both come to |
| `windows`, `elementwise`, `contraction` | arguments that both have in common |
| `fold_free`, `fold_points`, `fold_constants`, `fold_pads` | what is no operation of its own |
| `fold_lookups`, `fold_sums` | what many nodes spell and one operation does |
| `lowering`, `node_operations`, `compositions`, `map_shape` | nodes to operations of the hardware model |
| `as_graph`, `graph_nodes`, `graph_windows`, `placeholder_graph` | a float network to be compiled |
| `schedule` | the time of the compiled network |
| `network` | the operations, and what is not among them |
"""
