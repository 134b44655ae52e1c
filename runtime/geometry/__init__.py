"""Frames, camera projection, BEV grids and 3D boxes, in numpy float64; imports no other room."""
