"""Where the time of a compiled network goes."""
