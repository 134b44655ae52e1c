"""Rules on what a stage does to the model before it begins: the checkpoint, and the step to fixed point."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from specgen.did_you_mean import did_you_mean
from specgen.document import Node, Path, dotted
from specgen.inference.facts import TO_FIXED_POINT
from specgen.rules.components import converters, stages
from specgen.rules.finding import Finding

STARTS_FROM = MappingProxyType(
    {"calibration": ("float",), "qat": ("calibration",), "export": ("calibration", "qat")}
)
"""Which stages' weights a stage may start from."""
_CONVERTER = MappingProxyType(
    {
        "calibration": "Float2Calibration",
        "qat": "Float2QAT",
        "export": "Float2Calibration",
        "check": "Float2Calibration",
    }
)
_LOADS_QUANTISED = ("qat", "export")
_LOADS_NOTHING = "check"


def later_stages_load(document: Node) -> Iterator[Finding]:
    """Calibration, QAT and export start from a checkpoint."""
    for name, stage in stages(document):
        if name in STARTS_FROM and not _of_type(stage, "LoadCheckpoint"):
            yield Finding(
                f"the stage `{name}` loads no checkpoint: it would start from random weights",
                _pipeline_or_type(stage).span,
                hint=_addition(
                    name, "LoadCheckpoint", f"{{type: LoadCheckpoint, stage: {STARTS_FROM[name][0]}}}"
                ),
            )


def float_stays_float(document: Node) -> Iterator[Finding]:
    """Float training does not quantise the model."""
    stage = document.get("stages", "float")
    for index, converter in enumerate(converters(stage) if stage else ()):
        if converter.type in TO_FIXED_POINT:
            message = f"`{_place('float', index)}` quantises the model, which is for a later stage"
            yield Finding(message, converter.at("type").span)


def checkpoint_is_one_thing(document: Node) -> Iterator[Finding]:
    """`LoadCheckpoint` has either `checkpoint_path` or `stage`."""
    for name, stage in stages(document):
        for index, converter in _of_type(stage, "LoadCheckpoint"):
            given = [key for key in ("checkpoint_path", "stage") if converter.plain_at(key) is not None]
            if len(given) != 1:
                both = "both `checkpoint_path` and `stage`"
                what = both if given else "neither `checkpoint_path` nor `stage`"
                message = f"`{_place(name, index)}` has {what}, it needs one of them"
                yield Finding(message, converter.at("type").span)


def checkpoint_is_of_the_stage_before(document: Node) -> Iterator[Finding]:
    """`stage` of `LoadCheckpoint` is the stage before; for export that is `calibration` or `qat`."""
    for name, stage in stages(document):
        expected = STARTS_FROM.get(name, ())
        for index, converter in _of_type(stage, "LoadCheckpoint"):
            node = converter.get("stage")
            if node is None or node.plain() in (None, *expected) or name == _LOADS_NOTHING:
                continue
            if not expected:
                reason, hint = f"no stage comes before `{name}`", "name a file with `checkpoint_path`"
            else:
                reason = f"`{name}` starts from {' or '.join(f'`{choice}`' for choice in expected)}"
                hint = did_you_mean(node.plain(), list(expected)) or f"write `stage: {expected[0]}`"
            message = f"`{_place(name, index)}.stage` is `{node.plain()}`, but {reason}"
            yield Finding(message, node.span, hint=hint)


def loaded_stages_save(document: Node) -> Iterator[Finding]:
    """A stage whose weights a later one loads has the callback `Checkpoint`."""
    for name, stage in stages(document):
        for _, converter in _of_type(stage, "LoadCheckpoint"):
            node = converter.get("stage")
            if node is None or node.plain() not in STARTS_FROM.get(name, ()):
                continue
            source = document.get("stages", node.plain())
            if source is None:
                continue
            callbacks = source.get("callbacks")
            if callbacks is None or any(item.type == "Checkpoint" for item in callbacks.elements()):
                continue
            message = f"the stage `{node.plain()}` saves no weights, but `{name}` starts from them"
            related = ((node.span, "loads them"),)
            yield Finding(message, callbacks.span, related, "add `{type: Checkpoint}` to its `callbacks`")


def checker_loads_nothing(document: Node) -> Iterator[Finding]:
    """The stage `check` has no `LoadCheckpoint`: it judges shapes and widths, before anything is trained."""
    stage = document.get("stages", _LOADS_NOTHING)
    for index, converter in _of_type(stage, "LoadCheckpoint") if stage is not None else ():
        message = f"`{_place(_LOADS_NOTHING, index)}` loads weights, which `{_LOADS_NOTHING}` has no use for"
        yield Finding(message, converter.at("type").span, hint="leave out `LoadCheckpoint`")


def stages_quantise(document: Node) -> Iterator[Finding]:
    """Calibration, export and check have `Float2Calibration`, QAT has `Float2QAT`, each once."""
    for name, stage in stages(document):
        wanted = _CONVERTER.get(name)
        if wanted is None:
            continue
        found = [item for item in enumerate(converters(stage)) if item[1].type in TO_FIXED_POINT]
        if not found:
            message = f"the stage `{name}` does not quantise the model"
            hint = _addition(name, wanted, f"{{type: {wanted}}}")
            yield Finding(message, _pipeline_or_type(stage).span, hint=hint)
        for position, (index, converter) in enumerate(found):
            if converter.type != wanted:
                message = f"`{_place(name, index)}` is `{converter.type}`, which does not fit this stage"
                yield Finding(message, converter.at("type").span, hint=f"use `{wanted}`")
            elif position:
                message = (
                    f"`{_place(name, index)}` quantises the model, which `{found[0][1].type}` did already"
                )
                first = found[0][1].at("type").span
                yield Finding(message, converter.at("type").span, ((first, "the first time"),))


def conversion_order_fits(document: Node) -> Iterator[Finding]:
    """Calibration loads, then quantises; QAT and export quantise, then load what calibration or QAT made."""
    for name, stage in stages(document):
        quantising = _of_type(stage, _CONVERTER.get(name, ""))
        if not quantising or name == _LOADS_NOTHING:
            continue
        position, converter = quantising[0]
        for index, loading in _of_type(stage, "LoadCheckpoint"):
            if (index > position) == (name in _LOADS_QUANTISED):
                continue
            weights = f"the weights of `{loading.plain_at('stage') or STARTS_FROM[name][0]}`"
            if name in _LOADS_QUANTISED:
                what = f"the model is still float here, and {weights} are those of a quantised one"
                hint = f"put `{converter.type}` before `LoadCheckpoint`"
            else:
                what = f"the model is quantised by then, and {weights} are those of a float one"
                hint = f"put `LoadCheckpoint` before `{converter.type}`"
            related = ((converter.at("type").span, "quantises the model"),)
            message = f"`{_place(name, index)}` loads in the wrong place: {what}"
            yield Finding(message, loading.at("type").span, related, hint)


def normalisation_is_folded(document: Node) -> Iterator[Finding]:
    """Where the model is quantised, `qat_mode` is `fuse_bn`: batch normalisation has no fixed-point form."""
    for name, stage in stages(document):
        mode = stage.get("model_convert_pipeline", "qat_mode")
        if mode is None or mode.plain() is not None:
            continue
        for _, converter in _of_type(stage, _CONVERTER.get(name, "")):
            message = (
                f"`stages.{name}.model_convert_pipeline.qat_mode` is null, but `{converter.type}` needs "
                "batch normalisation folded into the convolutions"
            )
            related = ((converter.at("type").span, "quantises the model"),)
            yield Finding(message, mode.span, related, hint="write `qat_mode: fuse_bn`")


def folded_normalisation_is_not_synchronised(document: Node) -> Iterator[Finding]:
    """QAT has no `sync_bn`: batch normalisation is folded into the convolutions by then."""
    node = document.get("stages", "qat", "sync_bn")
    if node is not None and node.plain():
        message = (
            "`stages.qat.sync_bn` is true, but batch normalisation is folded into the convolutions by then"
        )
        yield Finding(message, node.span, hint="write `sync_bn: false`, or leave it out")


def _of_type(stage: Node, type_name: str) -> list[tuple[int, Node]]:
    """The converters of one type, with their indexes."""
    return [item for item in enumerate(converters(stage)) if item[1].type == type_name]


def _pipeline_or_type(stage: Node) -> Node:
    """Where something is missing: the list of converters, else the trainer."""
    found = stage.get("model_convert_pipeline", "converters")
    return found if found is not None else stage.at("type")


def _place(stage: str, index: int) -> str:
    path: Path = ("stages", stage, "model_convert_pipeline", "converters", index)
    return dotted(path)


def _addition(stage: str, converter: str, text: str) -> str:
    """The hint about a converter that is missing."""
    first = _CONVERTER[stage] if stage in _LOADS_QUANTISED else "LoadCheckpoint"
    where = "begin" if converter == first else "end"
    return f"{where} its `converters` with `{text}`"
