"""The spec of the examples, `base.yaml`, with a few words changed, and what the compiler says of it."""

from __future__ import annotations

from pathlib import Path

from specgen.codes.example import base_text
from specgen.diagnostic import SpecError
from specgen.pipeline import compiled
from specgen.sources import Sources

BASE = base_text()
EXPORT = """\
  export:
    type: HbirExporter
    model_convert_pipeline:
      type: ModelConvertPipeline
      qat_mode: fuse_bn
      converters:
        - {type: Float2Calibration}
        - {type: LoadCheckpoint, stage: calibration}
"""
INT_INFER = """\
  int_infer:
    type: HbirPredictor
    val_data_loader: val
    val_metrics: [{type: NuscenesDetectionMetric, name: bev_det}]
"""
COMPILE = "  compile: {type: HbmCompiler}\n"
CHECK = """\
  check:
    type: ModelChecker
    model_convert_pipeline:
      type: ModelConvertPipeline
      qat_mode: fuse_bn
      converters: [{type: Float2Calibration}]
"""
ALIGN_BPU = """\
  align_bpu:
    type: BpuPredictor
    val_data_loader: val
    val_metrics: [{type: NuscenesDetectionMetric, name: bev_det}]
"""


def messages(folder: Path, *edits: tuple[str, str]) -> list[tuple[str, str, str | None]]:
    """What the compiler says of `base.yaml` with these words changed: (code, message, hint)."""
    text = BASE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        compiled(path, Sources())
    except SpecError as error:
        return [(item.code, item.message, item.hint) for item in error.diagnostics]
    return []


def with_stages(*stages: str) -> tuple[str, str]:
    """The edit that adds stages behind those of the base."""
    return "quantization:\n", f"{''.join(stages)}quantization:\n"
