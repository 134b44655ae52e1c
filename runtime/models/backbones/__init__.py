"""Backbones: an image, or a BEV map, to five maps of strides 2 to 32."""
