"""Multiply-accumulates and bytes, counted by hand for layers of known sizes."""

from every_operation import exported

from runtime.hbir.work import work_of


def test_known_layers() -> None:
    _, graph = exported()
    found = {work.node.name: work for work in work_of(graph)}
    assert list(found) == [node.name for node in graph.nodes]
    # Two views of 12 x 20 pixels, int8; the stem makes 8 channels of 6 x 10 from 3 with a 3 x 3 kernel.
    stem = found["stem"]
    assert stem.macs == 2 * 8 * 6 * 10 * 3 * 3 * 3
    assert (stem.read, stem.written) == (2 * 3 * 12 * 20, 2 * 8 * 6 * 10)
    assert stem.constants == 8 * 3 * 3 * 3 + 8 * (4 + 2 + 1)  # weights; bias, multiplier, shift
    assert found["depthwise"].macs == 2 * 8 * 6 * 10 * 3 * 3
    assert found["project"].read == 2 * (2 * 8 * 6 * 10)  # its input and the residual
    assert found["classify"].macs == 16 * 5
    assert found["classify"].written == 5 * 4  # int32
    assert found["sample"].macs == 4 * 2 * 16 * 5 * 6
    assert found["sample"].read == 2 * 16 * 6 * 10 + 2 * 5 * 6 * 2 * 2  # int16 points
    assert found["pool"].macs == found["slice.0"].macs == 0
