"""Printing to a pipe whose reader has seen enough, as `head` has: no fault, and nothing to say."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_when_unread() -> Iterator[None]:
    """End the context without an error when nobody reads any more what it prints; the rest is dropped."""
    try:
        yield
    except BrokenPipeError:
        pass
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
