"""What an evaluation hands back, and how its data are prepared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, Subset


@dataclass(frozen=True)
class Evaluation:
    """Results by metric, and what they were measured on: numbers without that are easily mixed up."""

    metrics: dict[str, dict[str, float]]
    split: str
    num_samples: int
    digest: str
    line_width: float | None
    seconds: float
    output_digest: str | None = None


def whole_dataset(loader: DataLoader) -> Any:
    """The dataset behind a loader, seen through `Subset`."""
    dataset: Any = loader.dataset
    return dataset.dataset if isinstance(dataset, Subset) else dataset


def limit_samples(loader: DataLoader, num_samples: int | None) -> DataLoader:
    """A loader of the first `num_samples` samples, in order; the loader itself for None or when it has no
    more."""
    dataset: Any = loader.dataset
    if num_samples is None or num_samples >= len(dataset):
        return loader
    # A loader of the same kind: it raises the errors of its workers.
    return type(loader)(
        Subset(dataset, range(num_samples)),
        batch_size=loader.batch_size,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
        worker_init_fn=loader.worker_init_fn,
    )


def prepare_metrics(metrics: Sequence[Any], loader: DataLoader) -> None:
    """Hand the dataset's ground truth to the metrics that need it; they judge the samples that they see."""
    takers = [metric for metric in metrics if hasattr(metric, "set_ground_truth")]
    if takers:
        ground_truth = whole_dataset(loader).ground_truth()
        for metric in takers:
            metric.set_ground_truth(ground_truth)
