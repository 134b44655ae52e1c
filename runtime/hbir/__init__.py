"""HBIR: the fixed-point model as a typed, named, flat graph, and what runs it to the same bits anywhere."""
