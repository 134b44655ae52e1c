"""What evaluation does to a loader that it shortens."""

from typing import Any

import pytest
from torch.utils.data import Dataset

from runtime.data.loader import build_data_loader
from runtime.data.worker_errors import fetch
from runtime.errors import RunError
from runtime.training.evaluation import limit_samples


class Damaged(Dataset[dict[str, Any]]):
    """Three samples that cannot be read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> dict[str, Any]:
        raise RunError(f"image of sample {index} is no JPEG", hint="pack it again")

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return fetch(self.__getitem__, indices)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_shortened_loader_tells_the_error_of_its_dataset_as_it_was(num_workers: int) -> None:
    loader = build_data_loader(dataset=Damaged(), batch_size=1, num_workers=num_workers)
    with pytest.raises(RunError) as caught:
        list(limit_samples(loader, 2))
    assert str(caught.value) == "error: image of sample 0 is no JPEG\nhint: pack it again"
