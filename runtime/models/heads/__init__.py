"""Heads: BEV features to the raw outputs of a task."""
