"""From a program of `torch.export` to the graph."""
