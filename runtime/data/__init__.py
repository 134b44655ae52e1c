"""Packed nuScenes data: packing, reading, augmentation, batches, and the synthetic world."""
