"""How Snakemake itself is ended by a fault of the user's: with one line, before any job starts."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from smearlab.core.errors import UserError


@contextmanager
def one_line() -> Iterator[None]:
    """End the process with exit code 1 on a UserError, whose text is all that is said."""
    try:
        yield
    except UserError as error:
        sys.exit(str(error))
