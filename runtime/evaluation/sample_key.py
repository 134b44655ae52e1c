"""A number for a sample token, so that processes can exchange which samples they have seen."""

from __future__ import annotations

import hashlib


def sample_key(token: str) -> int:
    """The first 63 bits of the token's SHA-256: the same everywhere, different for different tokens."""
    return int.from_bytes(hashlib.sha256(token.encode()).digest()[:8], "big") >> 1
