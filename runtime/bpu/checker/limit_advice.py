"""What to do about a broken limit, by its measure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIMIT_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "rank": "drop axes of size 1, or move them to the host",
        "batch": "run fewer samples or views at a time",
        "channels": "split the map into groups of channels that are computed apart",
        "out_channels": "split the convolution into several with fewer outputs, and concatenate them",
        "channels_per_group": "split the convolution by input channels into several, and add their results",
        "features": "split the layer into several with fewer features",
        "height_or_width": "work on a smaller map, or on parts of it",
        "pixels": "work on a smaller map, or on parts of it",
        "tensor_bytes": "work on a smaller map, fewer channels or int8",
        "aligned_elements": "look up a smaller map: pool before it, or use ReLU, which costs nothing",
        "kernel": "split the kernel: two of 2 k + 1 in a row see as far as one of 4 k + 1",
        "window": "pool in two steps with smaller windows",
        "global_pixels": "pool in two steps: windows first, then what is left",
        "weights_per_output": "split the convolution by input channels into several, and add their results",
        "stride": "stride in two steps",
        "residual_stride": "add the residual by an operation of its own after the convolution",
        "dilation": "use a smaller dilation, or pool the map first",
        "dilated_stride": "stride in a convolution of its own, without dilation",
        "dilated_out_bits": "give the dilated convolution an int8 result",
        "padding": "use a smaller kernel or dilation, which needs less padding",
        "inputs": "join the inputs in two steps",
        "enlargement": "enlarge in two steps",
        "reduction": "shrink in two steps, or pool first",
    }
)
