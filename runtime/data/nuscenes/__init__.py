"""From a nuScenes-format folder to a packed dataset: tables, map lines, images, one LMDB a split."""
