"""Programs of `torch.export`, read."""
