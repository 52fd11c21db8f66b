"""A page that holds its own SHA-256, in a comment behind its end, so that a damaged one is noticed."""

import hashlib
import re
from pathlib import Path

from smearlab.store.files import damaged, write_bytes

COMMENT = re.compile(rb"<!-- SHA-256 of all above: ([0-9a-f]{64}) -->\n\Z")


def write_hashed_page(path: str | Path, text: str) -> None:
    """Write a page atomically, with the hash of its text behind it."""
    page = text.encode()
    digest = hashlib.sha256(page).hexdigest()
    write_bytes(path, page + f"<!-- SHA-256 of all above: {digest} -->\n".encode())


def check_hashed_page(path: str | Path) -> None:
    """Raise UserError for a page that is not the one that was written; one of 0.1.0, without a hash, has its end."""
    page = Path(path).read_bytes()
    if (found := COMMENT.search(page)) is None:
        if not page.rstrip().endswith(b"</html>"):
            raise damaged(path, "does not end as it was written")
    elif hashlib.sha256(page[: found.start()]).hexdigest() != found[1].decode():
        raise damaged(path, "does not match its own SHA-256")
