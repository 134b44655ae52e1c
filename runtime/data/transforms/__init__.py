"""Augmentation: image transforms on the six views, and transforms of BEV features with their labels."""
