"""YOLOv8 detector and its segmentation variant (Ultralytics 2023), without decoding, which the host does."""

from __future__ import annotations

from benchmarks.networks.layers import Layers, Map
from runtime.bpu.operation import Shape


def yolov8(
    image: Shape, *, depth: float, width: float, max_channels: int, masks: bool = False, classes: int = 80
) -> Layers:
    """`masks` adds the prototypes and coefficients of the segmentation variant."""
    net = Layers(image)
    c1, c2, c3, c4, c5 = (_channels(base, width, max_channels) for base in (64, 128, 256, 512, 1024))
    short, long = max(round(3 * depth), 1), max(round(6 * depth), 1)
    x = net.conv(net.conv(net.image, c1, 3, 2, silu=True), c2, 3, 2, silu=True)
    x = _c2f(net, x, c2, short, shortcut=True)
    p3 = _c2f(net, net.conv(x, c3, 3, 2, silu=True), c3, long, shortcut=True)
    p4 = _c2f(net, net.conv(p3, c4, 3, 2, silu=True), c4, long, shortcut=True)
    p5 = _c2f(net, net.conv(p4, c5, 3, 2, silu=True), c5, short, shortcut=True)
    p5 = _sppf(net, p5, c5)
    n4 = _c2f(net, net.concat(net.upsample(p5), p4), c4, short, shortcut=False)
    n3 = _c2f(net, net.concat(net.upsample(n4), p3), c3, short, shortcut=False)
    m4 = _c2f(net, net.concat(net.conv(n3, c3, 3, 2, silu=True), n4), c4, short, shortcut=False)
    m5 = _c2f(net, net.concat(net.conv(m4, c4, 3, 2, silu=True), p5), c5, short, shortcut=False)
    box, label = max(16, c3 // 4, 64), max(c3, min(classes, 100))
    for level in (n3, m4, m5):
        _branch(net, level, box, 64)
        _branch(net, level, label, classes)
        if masks:
            _branch(net, level, max(c3 // 4, 32), 32)
    if masks:
        proto = _channels(256, width, max_channels)
        up = net.transposed(net.conv(n3, proto, 3, silu=True), proto)
        net.conv(net.conv(up, proto, 3, silu=True), 32, silu=True)
    return net


def yolov8n(image: Shape) -> Layers:
    return yolov8(image, depth=1 / 3, width=0.25, max_channels=1024)


def yolov8l_seg(image: Shape) -> Layers:
    return yolov8(image, depth=1.0, width=1.0, max_channels=512, masks=True)


def _channels(base: int, width: float, most: int) -> int:
    return -(-int(min(base, most) * width) // 8) * 8


def _c2f(net: Layers, x: Map, channels: int, repeats: int, *, shortcut: bool) -> Map:
    half = channels // 2
    x = net.conv(x, channels, silu=True)
    parts = [net.part(x, half), net.part(x, half)]
    for _ in range(repeats):
        # The activation stands between convolution and sum, so the sum is an operation of its own.
        y = net.conv(net.conv(parts[-1], half, 3, silu=True), half, 3, silu=True)
        parts.append(net.add(y, parts[-1]) if shortcut else y)
    return net.conv(net.concat(*parts), channels, silu=True)


def _sppf(net: Layers, x: Map, channels: int) -> Map:
    parts = [net.conv(x, x.channels // 2, silu=True)]
    for _ in range(3):
        parts.append(net.max_pool(parts[-1], 5, 1))
    return net.conv(net.concat(*parts), channels, silu=True)


def _branch(net: Layers, x: Map, channels: int, out: int) -> Map:
    return net.conv(
        net.conv(net.conv(x, channels, 3, silu=True), channels, 3, silu=True), out, is_output=True
    )
