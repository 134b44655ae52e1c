"""The packed nuScenes dataset as training and evaluation see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from runtime.data.camera_views import CameraViews, Image
from runtime.data.jpeg import decode_bgr
from runtime.data.map_raster import check_line_width, rasterize_map
from runtime.data.pack_reader import PackReader
from runtime.data.sample_labels import ego2img_of, ego_boxes, taught
from runtime.data.worker_errors import fetch
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.class_names import DETECTION_CLASSES

ImageTransform = Callable[[CameraViews, np.random.Generator], None]


class NuscenesDataset(Dataset[dict[str, Any]]):
    """Samples of one packed split: six images with their projection, boxes, map labels.

    An item is a dict of `img` float32 (6, 3, H, W); `ego2img` float64 (6, 4, 4) for exactly those pixels;
    `gt_boxes` float32 (N, 9) in the ego frame, inside the BEV range and seen by a sensor, NaN for unknown
    velocities; `gt_labels` int64 (N,); `gt_seg` int64 (h, w) on the map grid; `token`; `ego2global` float64
    (4, 4).

    Random transforms draw from a generator seeded with (seed, epoch, index): an item does not depend on the
    process that loads it nor on what was loaded before, and a resumed run sees what an uninterrupted one
    would.

    Args:
        data_path: the `<split>_lmdb` folder.
        transforms: image transforms, each changing a `CameraViews`; the last one makes the tensor.
        bev_size: (half_y, half_x, metres_per_cell) of the detection grid.
        map_size: the same of the map grid.
        map_path: folder of manifests and maps; by default `metas` beside the version's folder.
        line_width: full width of map lines in metres.
        num_samples: only the first so many samples.
        seed: of the augmentation.

    Raises:
        RunError: the pack is missing or damaged, or does not reach as far as `map_size`.
    """

    CLASSES: ClassVar[tuple[str, ...]] = DETECTION_CLASSES

    def __init__(
        self,
        *,
        data_path: str | Path,
        transforms: Sequence[ImageTransform],
        bev_size: Sequence[float],
        map_size: Sequence[float],
        map_path: str | Path | None = None,
        line_width: float = 0.75,
        num_samples: int | None = None,
        seed: int = 0,
    ) -> None:
        self.reader = PackReader(data_path=data_path, metas=map_path)
        self.transforms = tuple(transforms)
        self.bev_grid = BevGrid.from_size(bev_size)
        self.map_grid = BevGrid.from_size(map_size)
        self.line_width = float(line_width)
        self.seed = seed
        # In shared memory: workers that live across epochs see a new epoch without being started again.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        if num_samples is not None and num_samples < 1:
            raise RunError(f"`num_samples` must be at least 1, got {num_samples}")
        self._length = min(len(self.reader), num_samples or len(self.reader))
        check_line_width(self.line_width, self.map_grid)
        reach = self.reader.manifest.map_radius
        # Lines are clipped at the radius: half a width beyond the grid must still be there.
        if max(self.map_grid.half_x, self.map_grid.half_y) + self.line_width / 2 > reach:
            raise RunError(
                f"`map_size` {tuple(map_size)} reaches farther than the packed map lines, {reach} m",
                place=str(data_path),
            )

    def __len__(self) -> int:
        return self._length

    @property
    def split(self) -> str:
        """Name of the split, as in the folder's name."""
        return self.reader.manifest.split

    @property
    def version(self) -> str:
        """Version of the nuScenes tables, such as `v1.0-trainval`."""
        return self.reader.manifest.version

    @property
    def digest(self) -> str:
        """Total digest of the pack; results name it."""
        return self.reader.manifest.digest

    @property
    def epoch(self) -> int:
        """The epoch that augmentation draws for."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Choose the augmentation of an epoch; worker processes see it too."""
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        index = self._checked(index)
        record = self.reader.record(index)
        views = self._views(index, record)
        rng = np.random.default_rng((self.seed, self.epoch, index))
        for transform in self.transforms:
            transform(views, rng)
        boxes, labels = self._labelled_boxes(record)
        return {
            "img": views.as_tensor(),
            "ego2img": torch.from_numpy(views.ego2img),
            "gt_boxes": torch.from_numpy(boxes.astype(np.float32)),
            "gt_labels": torch.from_numpy(labels),
            "gt_seg": torch.from_numpy(rasterize_map(record["map_lines"], self.map_grid, self.line_width)),
            "token": record["token"],
            "ego2global": torch.from_numpy(record["ego2global"].copy()),
        }

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """What torch's loader calls for the samples of a batch."""
        return fetch(self.__getitem__, indices)

    def record(self, index: int) -> dict[str, Any]:
        """The packed record of a sample; arrays in it are read-only."""
        return self.reader.record(self._checked(index))

    def image_bytes(self, index: int) -> list[bytes]:
        """The six JPEGs of a sample in view order, as nuScenes ships them."""
        return self.reader.images(self._checked(index))

    def camera_images(self, index: int) -> tuple[list[Image], NDArray[np.float64]]:
        """The six full-size images, uint8 RGB (height, width, 3), and their `ego2img` (6, 4, 4)."""
        record = self.record(index)
        return self._views(self._checked(index), record).images, ego2img_of(record)

    def boxes_ego(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The boxes that are labels of a sample: (N, 9) in the ego frame, and their classes (N,)."""
        return self._labelled_boxes(self.record(index))

    def ground_truth(self) -> list[dict[str, Any]]:
        """Every sample's annotations as the nuScenes metric needs them, unfiltered and in the global frame.

        Each has `token`, `ego_translation` (3,), `ego2global` (4, 4), `bike_racks` (`translation`, `size`,
        `rotation`) and, for N boxes in table order, `translation` (N, 3), `size` (N, 3), `rotation` (N, 4)
        wxyz, `velocity` (N, 2), `label` (N,), `num_lidar_pts` (N,), `num_radar_pts` (N,), `attribute` and
        `instance`.
        """
        truth = []
        for index in range(len(self)):
            record = self.reader.record(index)
            pose = record["ego2global"]
            truth.append(
                {
                    "token": record["token"],
                    "ego_translation": pose[:3, 3],
                    "ego2global": pose,
                    "bike_racks": record["bike_racks"],
                    **record["boxes"],
                }
            )
        return truth

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return index % len(self)

    def _labelled_boxes(self, record: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        boxes = ego_boxes(record)
        kept = taught(record, boxes, self.bev_grid)
        return boxes[kept], record["boxes"]["label"][kept]

    def _views(self, index: int, record: dict[str, Any]) -> CameraViews:
        first = record["cameras"][0]
        decoders = [
            self._decoder(data, record["token"], channel)
            for data, channel in zip(self.reader.images(index), CAMERA_NAMES, strict=True)
        ]
        return CameraViews(
            decoders=decoders, size=(first["height"], first["width"]), ego2img=ego2img_of(record)
        )

    def _decoder(self, data: bytes, token: str, channel: str) -> Callable[[int], Image]:
        def decode(reduction: int) -> Image:
            image = decode_bgr(data, reduction)
            if image is None:
                raise RunError(
                    f"image `{channel}` of sample `{token}` is no whole JPEG ({len(data)} bytes)",
                    place=str(self.reader.place.lmdb),
                    hint="check the pack with `specgen data verify`, then pack it again",
                )
            return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)

        return decode
