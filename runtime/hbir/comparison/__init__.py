"""Where two graphs, or two runs of a graph, begin to differ."""
