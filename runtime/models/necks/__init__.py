"""Necks: maps of several strides, mixed."""
