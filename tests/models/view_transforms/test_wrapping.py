"""Inverse perspective mapping: a pattern painted on the ground comes back in BEV."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.models.view_transforms import wrapping
from runtime.models.view_transforms.sampling_points import point_scale
from runtime.models.view_transforms.wrapping import WrappingTransformer

HEIGHT, WIDTH = 256, 480
BEV = (16.0, 24.0, 1.0)


def build(stride: int = 4, **changes) -> WrappingTransformer:
    scale = point_scale(HEIGHT // stride, WIDTH // stride)
    arguments = {"bev_size": BEV, "bev_upscale": 1, "grid_quant_scale": scale, "in_stride": stride}
    return WrappingTransformer(**{**arguments, **changes})


def pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Different everywhere: no mirrored, turned or shifted copy of it agrees."""
    return np.sin(0.5 * x) + 0.8 * np.cos(0.4 * y + 0.3 * x) + 0.05 * y


def painted(ego2img: Tensor, stride: int) -> Tensor:
    """Features (6, 2, h, w): the ground pattern and, in the second channel, 1 where there is ground.

    Feature pixel (i, j) has its centre at image pixel ((j + 0.5) * stride - 0.5, (i + 0.5) * stride - 0.5).
    """
    v, u = np.meshgrid(np.arange(HEIGHT // stride), np.arange(WIDTH // stride), indexing="ij")
    pixels = np.stack([(u + 0.5) * stride - 0.5, (v + 0.5) * stride - 0.5, np.ones(u.shape)])
    views = []
    for matrix in ego2img.numpy():
        homography = matrix[:3][:, [0, 1, 3]]
        x, y, w = np.einsum("ij,jhw->ihw", np.linalg.inv(homography), pixels)
        # The depth of the ground point x / w, y / w is 1 / w: behind the horizon it is negative.
        ground = w > 1 / 200
        safe = np.where(ground, w, 1)
        views.append(np.stack([np.where(ground, pattern(x / safe, y / safe), 0), ground]))
    return torch.from_numpy(np.stack(views)).float()


@pytest.mark.parametrize("stride", [1, 4, 8])
def test_a_pattern_on_the_ground_comes_back(ring, stride: int) -> None:
    ego2img = ring(HEIGHT, WIDTH)
    transformer = build(stride).eval()
    points = transformer.points(ego2img[None], image_size=(HEIGHT, WIDTH))
    value, views = transformer(painted(ego2img, stride), points)[0].double().numpy()

    centres = transformer.grid.centres()
    truth = pattern(centres[..., 0], centres[..., 1])
    distance = np.linalg.norm(centres, axis=-1)
    # Near ground only: further out a feature pixel holds more ground than the pattern's waves.
    near = (distance < (14 if stride < 8 else 9)) & (views > 0.99)
    assert near.sum() > 100
    error = np.abs(value / np.where(views > 0.5, views, 1) - truth)[near]
    assert error.max() < 0.12
    assert error.mean() < 0.02
    # Points that are off by a half pixel of the image's features would be noticed.
    shifted = transformer(painted(ego2img, stride), points + 0.5)[0, 0].double().numpy()
    assert np.abs(shifted / np.where(views > 0.5, views, 1) - truth)[near].mean() > 2 * error.mean()


def test_every_place_around_the_car_is_seen_and_most_of_it_once(ring) -> None:
    ego2img = ring(HEIGHT, WIDTH)
    transformer = build().eval()
    points = transformer.points(ego2img[None], image_size=(HEIGHT, WIDTH))
    views = transformer(torch.ones(6, 1, HEIGHT // 4, WIDTH // 4), points)[0, 0]
    distance = torch.from_numpy(np.linalg.norm(transformer.grid.centres(), axis=-1))
    assert (views[distance > 10] > 0.9).all()  # nearer, there are blind wedges between the cameras
    assert views.max() <= 2.01
    assert ((views > 0.99) & (views < 1.01)).float().mean() > 0.6
    assert (views[distance < 2] == 0).all()  # under the car


def test_upscaling_is_bilinear_and_doubles_the_cells(ring) -> None:
    features = torch.randn(12, 3, HEIGHT // 4, WIDTH // 4)
    plain, doubled = build().eval(), build(bev_upscale=2).eval()
    points = plain.points(ring(HEIGHT, WIDTH).expand(2, 6, 4, 4), image_size=(HEIGHT, WIDTH))
    once, twice = plain(features, points), doubled(features, points)
    assert once.shape == (2, 3, 32, 48)
    assert twice.shape == (2, 3, 64, 96)
    torch.testing.assert_close(
        twice, torch.nn.functional.interpolate(once, scale_factor=2, mode="bilinear", align_corners=False)
    )
    assert (plain.out_shape, doubled.out_shape) == ((32, 48), (64, 96))


def test_features_get_the_gradient_of_the_cells_that_saw_them(ring) -> None:
    transformer = build().eval()
    points = transformer.points(ring(HEIGHT, WIDTH)[None], image_size=(HEIGHT, WIDTH))
    features = torch.randn(6, 1, HEIGHT // 4, WIDTH // 4, requires_grad=True)
    weights = torch.randn(1, 1, 32, 48)
    (transformer(features, points) * weights).sum().backward()
    # Bilinear sampling is linear: its gradient is the transpose, <W, T f> = <T' W, f>.
    other = torch.randn_like(features)
    torch.testing.assert_close(
        (transformer(other, points) * weights).sum(), (features.grad * other).sum(), rtol=1e-4, atol=1e-3
    )


def test_points_are_multiples_of_the_step_inside_int16(ring) -> None:
    transformer = build()
    ego2img = ring(HEIGHT, WIDTH)[None]
    points = transformer.points(ego2img, image_size=(HEIGHT, WIDTH))
    codes = transformer.point_codes(ego2img, image_size=(HEIGHT, WIDTH))
    assert points.dtype == torch.float32
    assert codes.dtype == np.int16
    np.testing.assert_array_equal(points.numpy() / transformer.grid_quant_scale, codes)
    assert points.amin() == -1
    assert points[..., 0].amax() == WIDTH // 4
    assert points[..., 1].amax() == HEIGHT // 4


def test_rigs_are_computed_once_and_never_mixed_up(ring, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = wrapping.ground_points
    monkeypatch.setattr(
        wrapping, "ground_points", lambda m, *a, **k: calls.append(len(m)) or real(m, *a, **k)
    )
    transformer = build()
    a = ring(HEIGHT, WIDTH)
    b = a.clone()
    b[:, 0] *= 1.01

    def points(*rigs: Tensor, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Tensor:
        return transformer.points(torch.stack(rigs), image_size=size)

    both = points(a, b, a)
    assert calls == [12]
    assert torch.equal(both[:6], both[12:])
    assert not torch.equal(both[:6], both[6:12])
    assert torch.equal(points(b), both[6:12])
    assert torch.equal(points(b, a), torch.cat([both[6:12], both[:6]]))
    assert calls == [12]
    assert not torch.equal(points(a, size=(HEIGHT // 2, WIDTH)), both[:6])
    assert calls == [12, 6]
    for step in range(40):
        points(a + step * torch.eye(4, dtype=a.dtype) * 1e-3)
    assert len(transformer._cache) <= 16
    assert torch.equal(points(a, b), both[:12])


def test_dropped_views_are_gone_and_one_always_stays(ring) -> None:
    samples = 400
    transformer = build(bev_size=(8.0, 8.0, 4.0), drop_prob=0.8)
    points = transformer.points(ring(HEIGHT, WIDTH)[None], image_size=(HEIGHT, WIDTH)).repeat(
        samples, 1, 1, 1
    )
    features = torch.ones(6 * samples, 1, HEIGHT // 4, WIDTH // 4, requires_grad=True)
    transformer(features, points).sum().backward()
    alive = features.grad.flatten(1).abs().sum(1).view(samples, 6) > 0
    assert alive.any(dim=1).all()
    # Each view stays with 0.2, and all six fall out together with 0.8 ** 6, when one of them stays after all.
    expected = 0.2 + 0.8**6 / 6
    assert alive.float().mean().item() == pytest.approx(expected, abs=0.03)

    features.grad = None
    transformer.eval()(features, points).sum().backward()
    assert (features.grad.flatten(1).abs().sum(1) > 0).all()


def test_without_drop_prob_training_is_evaluation(ring) -> None:
    transformer = build()
    features = torch.randn(6, 2, HEIGHT // 4, WIDTH // 4)
    points = transformer.points(ring(HEIGHT, WIDTH)[None], image_size=(HEIGHT, WIDTH))
    assert torch.equal(transformer.train()(features, points), transformer.eval()(features, points))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop_prob": 1.0}, "drop_prob is 1.0"),
        ({"grid_quant_scale": 0.003}, "grid_quant_scale is 0.003, expected a power of two"),
        ({"grid_quant_scale": 0.0}, "expected a power of two"),
        ({"bev_upscale": 0}, "bev_upscale is 0"),
    ],
)
def test_impossible_arguments(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_another_number_of_views(ring) -> None:
    with pytest.raises(ValueError, match=r"ego2img is \(1, 5, 4, 4\), expected \(B, 6, 4, 4\)"):
        build().points(ring(HEIGHT, WIDTH)[None, :5], image_size=(HEIGHT, WIDTH))
