"""The log of one job: all that it prints, and one clear line to the terminal when it fails."""

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

from smearlab.core.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class _Lenient:
    """A log that a full disk does not turn into a failure of what is logged; it only loses lines."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, text: str) -> int:
        try:
            return self.file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self.file.flush()

    def close(self) -> None:
        with suppress(OSError):
            self.file.close()


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send prints to the log; end a failed job with exit code 1, its traceback in the log, one line on the terminal."""
    terminal = sys.stderr
    try:
        file = _opened(Path(path))
    except OSError as error:
        print(f"smearlab: {reason(error)}", file=terminal)
        sys.exit(1)
    log = _Lenient(file)
    with closing(log), redirect_stdout(log), redirect_stderr(log):
        try:
            yield
        except UserError as error:
            print(f"error: {error}", file=log)
            print(f"smearlab: {error}", file=terminal)
        except Exception as error:
            traceback.print_exc(file=log)
            print(f"smearlab: {reason(error)} (more in {path})", file=terminal)
        except KeyboardInterrupt:
            print("stopped by Ctrl-C", file=log)
        else:
            return
    sys.exit(1)


def reason(error: Exception) -> str:
    """Return what went wrong in one line, with what to do where that is known."""
    match error:
        case OSError(errno=number) if number in FULL:
            return f"{_place(error)}{error.strerror}: free some space, then the same command continues"
        case OSError(errno=number) if number in READ_ONLY:
            return f"{_place(error)}{error.strerror}: make it writable, then the same command continues"
        case MemoryError():
            return f"out of memory ({_line(error)}): give the job more memory, or run fewer at once (--cores)"
        case ModuleNotFoundError():
            return f"the package {error.name} is not installed here: {_installing()}"
    return f"{type(error).__name__}: {_line(error)}"


def _installing() -> str:
    """Return how this Python gets the packages it lacks; conda environments are Snakemake's to make."""
    if (Path(sys.prefix) / "conda-meta").is_dir():
        return f"remove the environment {sys.prefix}, and snakemake --use-conda makes it anew"
    return "`make setup` installs all that is needed"


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "w", buffering=1, encoding="utf-8")


def _place(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or "no more is said"
