"""One tiny synthetic dataset for all tests of this folder."""

from pathlib import Path

import pytest

from runtime.data.synthetic.generate import synthesize

TINY = {
    "version": "v1.0-trainval",
    "num_train_scenes": 1,
    "num_val_scenes": 2,
    "samples_per_scene": 3,
    "image_size": (320, 180),
    "seed": 11,
}


@pytest.fixture(scope="session")
def world_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes with three samples each, written by one process."""
    return synthesize(tmp_path_factory.mktemp("synthetic") / "world", workers=1, **TINY)
