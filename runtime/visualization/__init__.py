"""Pictures of what a model sees: predictions against truth, on the cameras and from above."""
