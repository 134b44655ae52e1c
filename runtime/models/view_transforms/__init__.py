"""View transforms: features of the cameras to features of the ground."""
