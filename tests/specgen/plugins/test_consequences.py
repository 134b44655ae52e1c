"""What follows from a mistake in `plugins` is not reported beside it."""

from __future__ import annotations

from collections.abc import Callable

BACKBONE = "model.backbone={type: PlainBackbone, width: 3}"


def test_an_unknown_type_is_left_out(report_of: Callable[..., str]) -> None:
    assert report_of("specs/bev_ipm_tiny.yaml", "plugins=['../x']", BACKBONE) == (
        '--set:1:10: error[E104]: `plugins.0` is "../x", expected the dotted name of a module\n'
        "1 | plugins=['../x']\n"
        "  |          ^^^^^^\n"
    )


def test_other_mistakes_stay(report_of: Callable[..., str]) -> None:
    text = report_of(
        "specs/bev_ipm_tiny.yaml", "plugins=['../x']", BACKBONE, "quantization.weight_scale=none"
    )
    assert "error[E104]: `plugins.0`" in text and "error[E105]: `quantization.weight_scale` is" in text
    assert 'PlainBackbone", expected' not in text
    alone = report_of("specs/bev_ipm_tiny.yaml", BACKBONE)
    assert 'error[E105]: `model.backbone.type` is "PlainBackbone", expected one of' in alone
