"""The log of one job: all that it prints, and one clear line to the terminal when it fails."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from smearlab.errors import UserError


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send prints to the log; end a failed job with exit code 1, its traceback in the log, one line on the terminal."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    terminal = sys.stderr
    with open(path, "w", buffering=1, encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            yield
        except UserError as error:
            print(f"error: {error}", file=log)
            print(f"smearlab: {error}", file=terminal)
        except Exception as error:
            traceback.print_exc(file=log)
            reason = " ".join(str(error).split())[:300]
            print(f"smearlab: {type(error).__name__}: {reason} (more in {path})", file=terminal)
        else:
            return
    sys.exit(1)
