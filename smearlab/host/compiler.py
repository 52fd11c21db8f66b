"""What torch.compile needs of a machine, and where the code that it makes is kept.

In the checkout, neither in a home nor in TMPDIR, and for all jobs together: what one has compiled, the next one loads.
It is made in the job's own process, so that a signal that ends the job leaves nothing behind.
"""

import os
import shlex
import shutil
import sysconfig
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.host.surroundings import CACHES

KEPT = CACHES / "compiled"
HEADER = "Python.h"
ONE_PROCESS = 1
OF_NO_CONCERN = "The .grad attribute of a Tensor that is not a leaf"  # torch's own look at weights cast to bf16
SHAPES = 1000  # that one process may meet before torch gives up compiling them


def prepare(device: str, log: Callable[[str], None]) -> None:
    """Tell torch where and how to compile for `cpu` or `cuda`; UserError, in one line, where this machine cannot."""
    if (lacking := missing(device)) is not None:
        raise UserError(f"recipe: compile: true needs {lacking} on {device}; install it, or leave `compile` out")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(KEPT.absolute())
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(ONE_PROCESS)
    from torch._dynamo import config as tracing  # seconds, which no other job pays
    from torch._inductor import config as making

    warnings.filterwarnings("ignore", message=OF_NO_CONCERN)
    making.compile_threads = ONE_PROCESS
    tracing.recompile_limit = SHAPES
    log(f"device: the network is compiled, once for all jobs like this one (kept in {KEPT})")


def missing(device: str) -> str | None:
    """Return what is not there of that which compiling for a device takes, or None."""
    if device == "cuda" and find_spec("triton") is None:
        return "Triton, which CUDA builds of torch bring along,"
    language, names = ("C", ("CC", "gcc", "clang")) if device == "cuda" else ("C++", ("CXX", "g++"))
    asked = shlex.split(os.environ.get(names[0], ""))[:1] or list(names[1:])
    if not any(map(shutil.which, asked)):
        return f"a {language} compiler ({' or '.join(asked)}, or what {names[0]} names)"
    if not (Path(sysconfig.get_paths()["include"]) / HEADER).is_file():
        return f"Python's headers ({HEADER})"
    return None
