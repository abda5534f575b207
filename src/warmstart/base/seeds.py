"""Randomness from named streams: the same seed and names give the same numbers, whatever ran before."""

from hashlib import sha256

import numpy as np


def stream(seed: int, *names: str | int) -> int:
    """A 63-bit number that depends on `seed` and the names alone: stream(0, "shuffle", epoch)."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator for the stream of that name."""
    return np.random.default_rng(stream(seed, *names))
