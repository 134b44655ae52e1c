"""Rules on the data loaders that stages name."""

from __future__ import annotations

from collections.abc import Iterator

from specgen.did_you_mean import did_you_mean
from specgen.document import Node, dotted
from specgen.rules.components import loaders, stages
from specgen.rules.finding import Finding


def loaders_exist(document: Node) -> Iterator[Finding]:
    """The loaders that a stage names are in the section `data`."""
    names = [name for name, _ in loaders(document)]
    for stage_name, stage in stages(document):
        for key in ("data_loader", "val_data_loader"):
            node = stage.get(key)
            if node is None or node.plain() in names:
                continue
            message = (
                f"`{dotted(('stages', stage_name, key))}` is `{node.plain()}`, but `data` has "
                f"{', '.join(f'`{name}`' for name in names)}"
            )
            yield Finding(message, node.span, hint=did_you_mean(node.plain(), names))


def several_devices_sample(document: Node) -> Iterator[Finding]:
    """With more than one device, the loaders of a stage have a sampler that gives each its share."""
    for stage_name, stage in stages(document):
        number = stage.get("num_devices")
        if number is None or number.plain() == 1:
            continue
        for key in ("data_loader", "val_data_loader"):
            name = stage.plain_at(key)
            sampler = document.get("data", name, "sampler") if name is not None else None
            if sampler is not None and sampler.plain() is None:
                yield Finding(
                    f"`stages.{stage_name}.num_devices` is {number.plain()}, but `{name}` has no sampler",
                    number.span,
                    ((document.at("data", name, "type").span, "every device would see all samples"),),
                    hint=f"write `sampler: {{type: DistributedSampler}}` in `data.{name}`",
                )
