"""Named random streams as torch generators."""

import torch

from smearlab.core.seeds import stream_seed


def torch_generator(purpose: str, role: str, seed: int, *counters: int) -> torch.Generator:
    """Return the CPU generator of one named stream; drawing on the CPU keeps every device on the same draws."""
    return torch.Generator().manual_seed(stream_seed(purpose, role, seed, *counters))
