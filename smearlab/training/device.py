"""Where and how a recipe computes: device, precision, threads, determinism."""

import contextlib
import ctypes
import os
import platform
import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from smearlab.core.errors import UserError
from smearlab.core.jobs import RecipeSettings
from smearlab.host.processor import processor

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # parameters of glibc's mallopt


def configure(recipe: RecipeSettings, log: Callable[[str], None]) -> torch.device:
    """Set torch up for a recipe and return its device; says in the log what was found.

    The recipe's thread count is set whatever the job was granted, because CPU kernels differ in the last bit
    with it. On CUDA kernels are deterministic; fp32 convolutions there use TF32 where the GPU has it, as is
    torch's default.
    """
    torch.set_num_threads(recipe.threads)
    device = resolve(recipe.device)
    if device.type == "cuda":
        _configure_cuda()
        log(f"device: {torch.cuda.get_device_name(device)} (torch {torch.__version__})")
    else:
        _configure_cpu(recipe, log)
    return device


def resolve(name: str) -> torch.device:
    """Return the device of `auto`, `cpu` or `cuda`; UserError where cuda is asked for and not there."""
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a CPU build"
        raise UserError(
            f"recipe: device cuda was asked for, but torch {torch.__version__} ({built}) finds no CUDA device; "
            "use device: auto or cpu, or install a CUDA build and driver"
        )
    return torch.device("cuda" if found and name != "cpu" else "cpu")


def _configure_cuda() -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010 (torch hides it from types)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def _configure_cpu(recipe: RecipeSettings, log: Callable[[str], None]) -> None:
    _keep_freed_memory()
    if recipe.device == "auto":
        log(f"device: no CUDA device found, so this trains on the CPU with {recipe.threads} thread(s)")
    if recipe.precision == "bf16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        log("device: this processor has no bf16 arithmetic; bf16 is emulated and slow")


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next step instead of handing it back and having it zeroed again.

    A step frees and allocates some hundred MB; this saves 3-8 % of its time. Elsewhere than on glibc: nothing.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_MMAP_MAX, 0)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which the network (and nothing else) runs: bf16 autocast, or none for fp32.

    Casts of weights are not cached: each is used once a step, and a cache would outlive a recorded graph.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory of this process, in MB: of the GPU's allocator, or resident on the CPU."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


def libraries(device: torch.device) -> dict[str, Any]:
    """Return the versions of what computed a result."""
    cuda = torch.version.cuda if device.type == "cuda" else None
    return {"torch": torch.__version__, "numpy": np.__version__, "cuda": cuda}


def machine(device: torch.device) -> dict[str, Any]:
    """Return what a result was computed on: equal results may come from different ones."""
    cuda = device.type == "cuda"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if cuda else "cpu",
        "processor": processor(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
