"""The compiler: a YAML spec in, a runnable experiment directory out. Imports no torch, numpy or runtime."""

__version__ = "0.1.0"
