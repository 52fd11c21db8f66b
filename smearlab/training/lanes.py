"""How the steps of one replicate reach the device: at once on the CPU, as a recorded graph on CUDA.

On CUDA each replicate has a lane: a stream of its own, on which its first steps run eagerly and every later
one is the replay of one recorded graph (batch, forward, loss, backward, update). Replicates of a block share
nothing but the read-only images, so their numbers do not depend on how many of them train side by side.
"""

import contextlib
import os
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any

import torch

EAGER_STEPS = 3
Log = Callable[[str], None]


class Lane:
    """Runs every step as it comes: the lane of a CPU."""

    def context(self) -> AbstractContextManager[Any]:
        """Return the context in which all work of this replicate must be done."""
        return contextlib.nullcontext()

    def do(self, step: Callable[[], None], variant: Hashable) -> None:
        """Do one step; steps of one variant are the same sequence of kernels on the same tensors."""
        step()

    def wait(self) -> None:
        """Wait until all steps are done."""


class CudaLane(Lane):
    """A CUDA stream that records a step, once a few have run eagerly, and replays it from then on.

    The first steps are real ones: they create what is created lazily (momentum, workspaces). A step that
    cannot be recorded (it reads a value back) goes on eagerly, and the log says so.
    """

    def __init__(self, device: torch.device, log: Log, *, record: bool | None = None) -> None:
        self.stream = torch.cuda.Stream(device)
        self.log = log
        self.record = os.environ.get("SMEARLAB_CUDA_GRAPHS", "1") != "0" if record is None else record
        self.eager_steps: dict[Hashable, int] = {}
        self.graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}

    def context(self) -> AbstractContextManager[Any]:
        return torch.cuda.stream(self.stream)

    def do(self, step: Callable[[], None], variant: Hashable) -> None:
        ran = self.eager_steps.setdefault(variant, 0)
        if self.record and variant not in self.graphs and ran >= EAGER_STEPS:
            self._record(step, variant)
        if variant in self.graphs:
            self.graphs[variant].replay()
        else:
            step()
            self.eager_steps[variant] += 1

    def wait(self) -> None:
        self.stream.synchronize()

    def _record(self, step: Callable[[], None], variant: Hashable) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self.stream):
                step()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.record = False
            self.log(f"device: this step cannot be recorded as a CUDA graph and runs eagerly ({_first_line(error)})")
        else:
            self.graphs[variant] = graph


def make_lane(device: torch.device, log: Log) -> Lane:
    """Return the lane for a device; SMEARLAB_CUDA_GRAPHS=0 in the environment turns recording off."""
    return CudaLane(device, log) if device.type == "cuda" else Lane()


def lanes_at_once(device: torch.device, replicates: int) -> int:
    """Return how many replicates train side by side: one on a CPU, on CUDA all (or SMEARLAB_LANES of them)."""
    if device.type != "cuda":
        return 1
    return max(1, min(replicates, int(os.environ.get("SMEARLAB_LANES", replicates))))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
