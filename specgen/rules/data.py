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


def judging_keeps_the_order(document: Node) -> Iterator[Finding]:
    """The loader that a stage is judged on does not shuffle: a sampler would hand out some samples twice."""
    seen: set[str] = set()
    for stage_name, stage in stages(document):
        name = stage.plain_at("val_data_loader")
        loader = document.get("data", name) if isinstance(name, str) else None
        if loader is None or name in seen or loader.plain_at("sampler") is None:
            continue
        seen.add(name)
        shuffle = loader.at("shuffle")
        if shuffle.plain():
            message = f"`data.{name}.shuffle` is true, but `stages.{stage_name}` is judged on these samples"
            related = ((loader.at("sampler", "type").span, "fills up the shares of several devices"),)
            yield Finding(message, shuffle.span, related, hint="write `shuffle: false`, or leave it out")
