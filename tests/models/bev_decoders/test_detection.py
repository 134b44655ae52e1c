"""BevDetDecoder: which values meet which targets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from runtime.models.bev_decoders.detection import BOX_CODE, BevDetDecoder

HEIGHT, WIDTH = 4, 5


class FixedHead(nn.Module):
    """Two tasks; every regressed value is channel * 100 + cell, in the order of the box code."""

    def __init__(self, quantities: tuple[str, ...] = tuple(reversed(BOX_CODE))) -> None:
        super().__init__()
        self.quantities = quantities

    def forward(self, features: list[Tensor]) -> list[dict[str, Tensor]]:
        code = torch.arange(10.0).view(1, 10, 1, 1) * 100 + torch.arange(20.0).view(1, 1, HEIGHT, WIDTH)
        code = code.expand(2, -1, -1, -1)
        return [
            {
                **{name: code[:, slice(*BOX_CODE[name])] for name in self.quantities},
                "heatmap": torch.full((2, 1 + task, HEIGHT, WIDTH), float(task)),
            }
            for task in range(2)
        ]


class FixedTarget(nn.Module):
    def forward(
        self, boxes: list[Tensor], labels: list[Tensor], shape: tuple[int, int]
    ) -> list[dict[str, Tensor]]:
        assert (boxes, labels, shape) == (["boxes"], ["labels"], (HEIGHT, WIDTH))
        return [
            {
                "heatmap": torch.zeros(2, 1 + task, HEIGHT, WIDTH),
                "anno_box": torch.arange(10.0).expand(2, 3, 10),
                "ind": torch.tensor([[0, 7, 19], [3, 0, 0]]),
                "mask": torch.tensor([[True, True, True], [True, False, False]]),
                "box_weight": torch.arange(10.0, 20.0).expand(2, 3, 10),
            }
            for task in range(2)
        ]


class Recorder(nn.Module):
    """A loss that keeps its arguments and gives a fixed value."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.calls: list[tuple[Tensor, ...]] = []

    def forward(self, *args: Tensor) -> Tensor:
        self.calls.append(args)
        return torch.tensor(self.value)


def build(head: nn.Module, **changes) -> BevDetDecoder:
    arguments = {"target": FixedTarget(), "loss_cls": Recorder(2.0), "loss_reg": Recorder(3.0)}
    return BevDetDecoder(head=head, decoder=nn.Identity(), **{**arguments, **changes})


BATCH = {"gt_boxes": ["boxes"], "gt_labels": ["labels"]}


def test_values_are_taken_at_the_boxes_cells_in_the_order_of_the_box_code() -> None:
    decoder = build(FixedHead())
    decoder.losses([], BATCH)
    values, target, weight, positives = decoder.loss_reg.calls[1]
    cells = torch.tensor([[0, 7, 19], [3, 0, 0]])
    assert torch.equal(values, torch.arange(10.0) * 100 + cells[..., None])
    assert torch.equal(target, torch.arange(10.0).expand(2, 3, 10))
    assert torch.equal(weight, torch.arange(10.0, 20.0).expand(2, 3, 10))
    assert positives == 4.0


def test_quantities_that_the_head_lacks_are_left_out_everywhere() -> None:
    decoder = build(FixedHead(("dim", "reg", "rot")))
    decoder.losses([], BATCH)
    values, target, weight, _ = decoder.loss_reg.calls[0]
    assert values[0, 0].tolist() == [0, 100, 300, 400, 500, 600, 700]
    assert target[0, 0].tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert weight[0, 0].tolist() == [10, 11, 13, 14, 15, 16, 17]


def test_heatmap_loss_gets_logits_target_and_number_of_boxes_of_its_task() -> None:
    decoder = build(FixedHead())
    decoder.losses([], BATCH)
    assert [call[0].unique().tolist() for call in decoder.loss_cls.calls] == [[0.0], [1.0]]
    assert [call[1].shape[1] for call in decoder.loss_cls.calls] == [1, 2]
    assert [call[2].item() for call in decoder.loss_cls.calls] == [4.0, 4.0]


def test_losses_are_summed_over_tasks_weighted_and_named() -> None:
    losses = build(FixedHead(), name="det", task_weight=0.5).losses([], BATCH)
    assert {name: value.item() for name, value in losses.items()} == {
        "det/loss_heatmap": pytest.approx(0.5 * 2 * 2.0),
        "det/loss_bbox": pytest.approx(0.5 * 2 * 3.0),
    }


def test_raw_outputs_are_flat_and_decoding_puts_them_together_again() -> None:
    head = FixedHead()
    decoder = build(head)
    raw = decoder.raw_outputs([])
    assert {name: tuple(x.shape) for name, x in raw.items() if name.endswith(("heatmap", "dim"))} == {
        "bev_det/0/dim": (2, 3, HEIGHT, WIDTH),
        "bev_det/0/heatmap": (2, 1, HEIGHT, WIDTH),
        "bev_det/1/dim": (2, 3, HEIGHT, WIDTH),
        "bev_det/1/heatmap": (2, 2, HEIGHT, WIDTH),
    }
    others = {"bev_seg": torch.zeros(1), "bev_det2/0/dim": torch.zeros(1)}
    shuffled = dict(reversed({**raw, **others}.items()))
    decoded = decoder.decode(shuffled)  # the decoder here gives out what it gets
    for task, expected in zip(decoded, head([]), strict=True):
        assert set(task) == set(expected)
        assert all(torch.equal(task[name], expected[name]) for name in expected)
