"""How well predictions fit the truth: nuScenes detection scores and segmentation IoU."""
