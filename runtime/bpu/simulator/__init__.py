"""Runs programs: instruction by instruction on modelled memories, or layer by layer to the same bits."""
