"""Follows the feature maps through the model, from the images to the heads."""

from __future__ import annotations

from dataclasses import dataclass, field

from specgen.document import Node, Path
from specgen.inference.features import Feature
from specgen.inference.necks import NoSuchMap, pick
from specgen.inference.out_features import out_features

IMAGES = Feature(channels=3, stride=1)

BACKBONE: Path = ("model", "backbone")
NECK: Path = ("model", "neck")
VIEW_TRANSFORMER: Path = ("model", "view_transformer")
ENCODER_BACKBONE: Path = ("model", "bev_encoder", "backbone")
ENCODER_NECK: Path = ("model", "bev_encoder", "neck")


@dataclass(frozen=True, slots=True)
class ModelFeatures:
    """The maps that each part takes and gives, by the part's path.

    A part whose indexes point nowhere gives nothing, and neither does what comes after it: both are missing
    here, and a rule says why.
    """

    inputs: dict[Path, list[Feature]] = field(default_factory=dict)
    outputs: dict[Path, list[Feature]] = field(default_factory=dict)


def model_features(document: Node) -> ModelFeatures:
    """All maps of the model of a valid, filled document."""
    found = ModelFeatures()

    def step(kind: str, path: Path, inputs: list[Feature]) -> list[Feature]:
        found.inputs[path] = inputs
        found.outputs[path] = out_features(kind, document.at(*path).plain(), inputs)
        return found.outputs[path]

    try:
        maps = step("neck", NECK, step("backbone", BACKBONE, [IMAGES]))
        image_feature = pick(maps, document.plain_at("model", "bev_feat_index", default=-1))
        bev = step("view_transformer", VIEW_TRANSFORMER, [image_feature])
        encoded = step("neck", ENCODER_NECK, step("backbone", ENCODER_BACKBONE, bev))
    except NoSuchMap:
        return found
    for index, decoder in enumerate(document.at("model", "bev_decoders").elements()):
        try:
            feature = pick(encoded, decoder.plain_at("head", "input_index", default=0))
        except NoSuchMap:
            continue
        step("head", ("model", "bev_decoders", index, "head"), [feature])
    return found
