"""What the whole test run shares: one small packed world and one experiment built for it."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class PackedWorld:
    """A synthetic world and its packs.

    Attributes:
        project: a folder whose `tmp_data/nuscenes` holds the packs, at the paths that the ready specs name.
        source: the nuScenes-format world they were packed from.
    """

    project: Path
    source: Path

    @property
    def packs(self) -> Path:
        return self.project / "tmp_data" / "nuscenes"


@pytest.fixture(scope="session")
def packed_world(tmp_path_factory: pytest.TempPathFactory) -> PackedWorld:
    """Two training scenes and a held-out one of four samples each, packed as the ready tiny spec expects."""
    from runtime.data.nuscenes.pack import pack
    from runtime.data.synthetic.generate import synthesize

    project = tmp_path_factory.mktemp("project")
    world = PackedWorld(project=project, source=project / "tmp_data" / "synthetic")
    synthesize(world.source, num_train_scenes=2, num_val_scenes=1, samples_per_scene=4, seed=3, workers=2)
    for split in ("train", "val"):
        pack(world.source, world.packs, version="v1.0-trainval", split=split, workers=1)
    return world
