"""A float network as a fixed-point graph with constants that mean nothing, to be compiled."""
