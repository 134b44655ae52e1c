"""The one arithmetic of fixed point: integers that calibration, training, files and boards agree on.

Each module is one operation: its formula, `reference` in numpy (int64, slow and obvious: the definition) and
`kernel` in torch (the same integers, fast). numpy codes are int64; torch codes are float32 that hold
integers, on any device and in any memory format; there are no gradients.

| module | operation |
|---|---|
| `rescale` | multipliers and shifts; an accumulator to codes |
| `conv` | convolution, linear layer, with bias, residual and the activation's bounds |
| `add` | sum of maps |
| `view_sum` | sum over the views of a sample |
| `concat` | channels behind each other, at one scale |
| `avg_pool` | average over windows or the whole map |
| `resize` | nearest and bilinear |
| `grid_sample` | bilinear sampling at given points |
| `lookup` | sigmoid, SiLU and other functions, as tables |
| `multiply` | product of a map and a gate |
| `quantize` | real numbers to codes and back |

Max pooling, slices, reshapes, transposes and flips move codes unchanged. Below the operations lie
`weighted_sum` (the rounding), `digits` (exact sums in float32), `four_taps` (interpolation) and `accumulator`
(proofs).
"""
