"""Quantised modules, one for each operation that rounds."""
