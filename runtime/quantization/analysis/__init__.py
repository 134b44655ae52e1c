"""What fixed point does to a calibrated model, tensor by tensor, and which tensors are worth 16 bits.

| module | holds |
|---|---|
| `compare` | float and fixed point side by side: ranges, errors of layers, losses, worst samples |
| `sensitivity` | what each tensor costs when it alone is quantised |
| `raising` | a tensor of 8 bits with 16, and what that costs |
| `plan` | which tensors to raise, measured together |

`SignalError`, `RangeCount`, `OutputError` (in `signal_error`, `tensor_range`, `output_error`) are the numbers
themselves; `watching`, `real_values` and `Replay` get at the tensors; `operation_work` counts operations.
"""
