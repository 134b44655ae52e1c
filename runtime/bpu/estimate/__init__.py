"""Time of any network on any chip: of a `torch.export` program, a float ONNX file, a fixed-point graph.

| module | holds |
|---|---|
| `torch_reading`, `onnx_reading` | programs of `torch.export`, float ONNX files |
| `float_graph` | the vocabulary that both come to |
| `windows`, `elementwise`, `contraction` | arguments that both have in common |
| `folding` | what many nodes spell and the chip does as one operation, or not at all |
| `lowering`, `node_operations`, `compositions`, `map_shape` | nodes to operations of the hardware model |
| `network`, `network_file` | the operations, and what is not among them; of a file of any kind |
| `estimate` | operations and a march to cycles, milliseconds, bytes |
| `as_graph`, `schedule` | a float network to be compiled; the time of its program |
| `text`, `document`, `subject` | estimates for people and as JSON; what an estimate is of |
"""
