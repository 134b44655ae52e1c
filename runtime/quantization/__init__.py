"""Fixed point: the arithmetic, and what turns a float model into one that computes with it."""
