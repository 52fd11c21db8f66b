"""Whether a file of results can be read at all: one that cannot is no damaged one, and nothing of it may be removed."""

import os
import stat

from smearlab.core.errors import UserError


def check_readable(path: str) -> None:
    """Raise UserError if what stands at a path is no plain file or may not be read; nothing where nothing is.

    Its contents are not read, and a pipe in its place is not waited for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror}): make it readable") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _refused(path, "is no plain file: move away what stands there")
    finally:
        os.close(handle)


def _refused(path: str, what: str) -> UserError:
    return UserError(f"{path}: {what}; nothing is known to be damaged, and nothing is removed")
