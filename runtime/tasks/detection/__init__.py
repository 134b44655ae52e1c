"""3D detection by centre points (Yin et al., "Center-based 3D Object Detection and Tracking", 2021)."""
