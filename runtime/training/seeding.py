"""Random numbers that depend on (seed, epoch, rank) only, so that a resumed run draws what an uninterrupted
one does.

Reseeding at the first batch of every epoch replaces saving generator states: it also holds when validation,
data workers or pictures draw numbers in between.
"""

import random

import numpy as np
import torch


def seed_everything(*entropy: int) -> None:
    """Seed the generators of Python, NumPy and torch (all devices) from a tuple of integers."""
    words = np.random.SeedSequence(list(entropy)).generate_state(4, np.uint32)
    random.seed(int(words[0]))
    np.random.seed(int(words[1]))
    torch.manual_seed(int(words[2]) << 32 | int(words[3]))
