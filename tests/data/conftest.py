"""A tiny synthetic world and its pack, made once for all tests of this folder."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from nuscenes import NuScenes

from runtime.data.nuscenes.pack import pack
from runtime.data.synthetic.generate import synthesize

sys.path.insert(0, str(Path(__file__).parent))  # for `packed_datasets`
VERSION = "v1.0-trainval"


@dataclass(frozen=True)
class World:
    """A nuScenes-format folder.

    Args:
        root: with `samples`, `maps` and the tables.
        version: of the tables.
    """

    root: Path
    version: str

    def copy_to(self, folder: Path) -> World:
        """A copy that a test may damage."""
        shutil.copytree(self.root, folder)
        return World(folder, self.version)


@dataclass(frozen=True)
class Packed:
    """Packs of a world.

    Args:
        target: folder with `<version>` and `metas`.
        train, val: the LMDB folders.
    """

    target: Path
    version: str

    @property
    def train(self) -> Path:
        return self.target / self.version / "train_lmdb"

    @property
    def val(self) -> Path:
        return self.target / self.version / "val_lmdb"

    def copy_to(self, folder: Path) -> Packed:
        """A copy that a test may damage."""
        shutil.copytree(self.target, folder)
        return Packed(folder, self.version)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three scenes of three samples: two to train on, one to validate."""
    root = tmp_path_factory.mktemp("world") / "nuscenes"
    synthesize(
        root,
        version=VERSION,
        num_train_scenes=2,
        num_val_scenes=1,
        samples_per_scene=3,
        image_size=(320, 180),
        seed=0,
        workers=1,
    )
    return World(root, VERSION)


@pytest.fixture(scope="session")
def packed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Both splits, packed; not to be changed."""
    target = tmp_path_factory.mktemp("packed")
    for split in ("train", "val"):
        pack(world.root, target, version=world.version, split=split, workers=1)
    return Packed(target, world.version)


@pytest.fixture(scope="session")
def devkit(world: World) -> NuScenes:
    """What the devkit reads of the world; not to be changed."""
    return NuScenes(world.version, str(world.root), verbose=False)
