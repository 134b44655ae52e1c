"""The torch executor: any number of samples, every tensor, misuse, machines that compute inexactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from every_operation import INT16, Rules, exported
from small_networks import random_inputs
from torch import Tensor
from torch.nn import functional as F

from runtime.errors import RunError
from runtime.hbir.codes import decode, encode
from runtime.hbir.exact_convolutions import check_convolutions
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.reference_executor import ReferenceExecutor
from runtime.hbir.tensor_type import Constant, TensorType
from runtime.hbir.validate import validate
from runtime.quantization.arithmetic import conv


def codes(graph: Graph, samples: int = 2) -> dict[str, Tensor]:
    return encode(graph, dict(zip(("img", "points"), random_inputs(samples), strict=True)))


def test_samples_do_not_meet() -> None:
    _, graph = exported()
    executor, inputs = TorchExecutor(graph), codes(graph, 3)
    together = executor(inputs)
    for sample in range(3):
        alone = executor({name: value[2 * sample : 2 * sample + 2] for name, value in inputs.items()})
        for name, value in alone.items():
            assert torch.equal(value, together[name][sample : sample + 1])


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
def test_every_tensor_is_that_of_the_reference_and_of_onnxruntime(rules: Rules) -> None:
    _, graph = exported(rules)
    inputs = codes(graph)
    by_onnx = OnnxRuntimeExecutor(graph, threads=1, expose=True)(inputs)
    expected = dict(ReferenceExecutor(graph).tensors({name: x.numpy() for name, x in inputs.items()}))
    found = dict(TorchExecutor(graph).tensors(inputs))
    assert list(found) == [node.output for node in graph.nodes] == list(by_onnx)
    for name, value in found.items():
        assert np.array_equal(value.numpy(), expected[name]), name
        assert torch.equal(value, by_onnx[name]), name


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
def test_extreme_codes(rules: Rules) -> None:
    _, graph = exported(rules)
    for low in (True, False):
        inputs = {
            name: torch.full_like(x, torch.iinfo(x.dtype).min if low else torch.iinfo(x.dtype).max)
            for name, x in codes(graph).items()
        }
        expected = ReferenceExecutor(graph)({name: x.numpy() for name, x in inputs.items()})
        for executor in (TorchExecutor(graph), OnnxRuntimeExecutor(graph, threads=1)):
            for name, value in executor(inputs).items():
                assert np.array_equal(value.numpy(), expected[name])


def test_memory_format_of_inputs_does_not_matter() -> None:
    _, graph = exported()
    inputs = codes(graph)
    strided = {name: x.permute(0, 3, 2, 1).contiguous().permute(0, 3, 2, 1) for name, x in inputs.items()}
    first, second = TorchExecutor(graph)(inputs), TorchExecutor(graph)(strided)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_decoded_accumulators_have_a_scale_for_each_channel() -> None:
    _, graph = exported()
    acc = {"map": torch.arange(90, dtype=torch.int32).view(1, 3, 5, 6)}
    steps = torch.tensor(graph.types["map"].scale, dtype=torch.float64).view(3, 1, 1)
    assert torch.equal(decode(graph, acc)["map"], (acc["map"] * steps).float())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: {"img": x["img"]}, r"reads `img`, `points`, it was given \['img'\]"),
        (lambda x: {**x, "img": x["img"][:3]}, r"input `img` is \(3, 3, 12, 20\), expected \(2, 3, 12, 20\)"),
        (lambda x: {**x, "img": x["img"][:, :, 1:]}, r"is \(4, 3, 11, 20\), expected \(2, 3, 12, 20\)"),
        (lambda x: {**x, "img": x["img"][:2]}, r"different numbers of samples: \[1, 2\]"),
        (lambda x: {**x, "img": x["img"][:0]}, r"is \(0, 3, 12, 20\), expected"),
        (lambda x: {**x, "img": torch.zeros(())}, r"is \(\), expected"),
    ],
)
def test_inputs_that_do_not_fit(change: Any, message: str) -> None:
    _, graph = exported()
    for executor in (TorchExecutor(graph), OnnxRuntimeExecutor(graph, threads=1)):
        with pytest.raises(RunError, match=message):
            executor(change(codes(graph)))


def test_real_numbers_are_refused() -> None:
    _, graph = exported()
    img, points = random_inputs()
    for executor in (TorchExecutor(graph), OnnxRuntimeExecutor(graph, threads=1)):
        with pytest.raises(RunError, match="`img` is float32, expected int8 codes"):
            executor({"img": img, "points": points})


def test_a_device_without_float64_is_refused() -> None:
    _, graph = exported()
    with pytest.raises(RunError, match="device `mps` has no float64"):
        TorchExecutor(graph, device="mps")


def test_a_library_that_rounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions whose results lose their last bits, as in bfloat16."""
    _, graph = exported()
    exact = F.conv2d

    def rounded(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        y = exact(x, *args, **kwargs)
        return y if x.dtype == torch.float64 else y.bfloat16().float()

    monkeypatch.setattr(F, "conv2d", rounded)
    with pytest.raises(RunError, match=r"the convolution `stem` inexactly: \d+ of \d+ sums"):
        TorchExecutor(graph)


def test_every_kind_of_convolution_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is wrong for depthwise layers alone is found out too."""
    _, graph = exported()
    exact = F.conv2d

    def off_by_one(x: Tensor, weight: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        y = exact(x, weight, *args, **kwargs)
        return y + 1 if weight.shape[1:] == (1, 3, 3) and x.dtype == torch.float32 else y

    monkeypatch.setattr(F, "conv2d", off_by_one)
    with pytest.raises(RunError, match="the convolution `depthwise` inexactly"):
        TorchExecutor(graph)


@pytest.mark.parametrize("innermost", [False, True], ids=["outermost", "innermost"])
def test_both_orders_of_memory_and_several_samples_are_tried(
    monkeypatch: pytest.MonkeyPatch, innermost: bool
) -> None:
    """A library that is wrong for several maps at once with their channels in one place."""
    _, graph = exported()
    exact = F.conv2d

    def off_by_one(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        y = exact(x, *args, **kwargs)
        wrong = len(x) > 1 and x.dtype == torch.float32 and (x.stride(1) == 1) == innermost
        return y + 1 if wrong else y

    monkeypatch.setattr(F, "conv2d", off_by_one)
    with pytest.raises(RunError, match="the convolution `stem` inexactly"):
        TorchExecutor(graph)


def one_channel_graph() -> Graph:
    """A convolution of one channel that steps farther across than down and whose result has one column."""
    weight = np.random.default_rng(0).integers(-127, 128, (5, 1, 4, 3))
    constants = {"weight": Constant.of(weight, "int8"), "bias": Constant.of(np.zeros(5), "int32")}
    window: dict[str, Attribute] = {"groups": 1, "stride": (1, 3), "padding": (3, 1), "dilation": (1, 1)}
    x, y = TensorType("x", "int8", (1, 1, 2, 2), (1.0,)), TensorType("y", "int32", (1, 5, 5, 1), (1.0,) * 5)
    return validate(Graph((x,), (Node("part", "conv", ("x",), "y", window, constants),), (y,), ("y",)))


def test_one_channel_in_the_order_of_an_earlier_node_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What oneDNN gets wrong, and `arithmetic.conv` keeps away from it."""
    graph, exact, orders = one_channel_graph(), F.conv2d, set[bool]()

    def watched(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        wrong = x.dtype == torch.float32 and len(x) > 1 and x.stride(1) == 1
        orders.add(wrong)
        return exact(x, *args, **kwargs) + int(wrong)

    monkeypatch.setattr(F, "conv2d", watched)
    TorchExecutor(graph)
    assert orders == {False}
    monkeypatch.setattr(conv, "_channels_outermost", lambda x: x)
    with pytest.raises(RunError, match="the convolution `part` inexactly"):
        TorchExecutor(graph)


def test_a_trial_holds_every_kind_of_layer_once() -> None:
    _, graph = exported()
    tried: list[str] = []

    def executor(part: Graph) -> TorchExecutor:
        tried.append(part.nodes[0].name)
        assert part.tensors[0].dtype == "int32"
        return TorchExecutor(part, check=False)

    check_convolutions(graph, executor, whole_maps=True)
    layers = [node.name for node in graph.nodes if node.op in ("conv", "linear")]
    assert tried == layers  # no two of this network are alike
    tried.clear()
    doubled = graph.nodes + tuple(replace(node, name=f"{node.name}.again") for node in graph.nodes)
    check_convolutions(replace(graph, nodes=doubled), executor, whole_maps=True)
    assert tried == layers


def test_one_wrong_sum_is_enough() -> None:
    _, graph = exported()

    def off(part: Graph) -> Any:
        def run(inputs: Any) -> dict[str, Tensor]:
            (result,) = TorchExecutor(part, check=False)(inputs).values()
            result[-1, -1] += part.nodes[0].name == "classify"
            return {"y": result}

        return run

    with pytest.raises(
        RunError, match="`classify` inexactly: 1 of 10 sums differ from float64's, by up to 1"
    ):
        check_convolutions(graph, off, whole_maps=False)
