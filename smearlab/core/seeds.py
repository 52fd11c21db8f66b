"""Named random streams: every draw belongs to a (purpose, role, seed) and to nothing else."""

import hashlib

import numpy as np


def stream_seed(purpose: str, role: str, seed: int, *counters: int) -> int:
    """Return the 63-bit seed of one named stream.

    `counters` (an epoch, a fold) select a fresh stream inside the named one, so that a draw depends on
    where it is used and never on what was drawn before: a resumed run needs no generator state.
    """
    name = "/".join([purpose, role, *map(str, (seed, *counters))])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def numpy_generator(purpose: str, role: str, seed: int, *counters: int) -> np.random.Generator:
    """Return the NumPy generator (PCG64) of one named stream."""
    return np.random.Generator(np.random.PCG64(stream_seed(purpose, role, seed, *counters)))
