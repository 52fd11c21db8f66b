"""Names that stand for contents: equal definitions get equal names, different ones never collide."""

import hashlib
import json
import re
from typing import Any

SAFE_VALUE = re.compile(r"[A-Za-z0-9_.+-]{1,40}")


def canonical(value: Any) -> str:
    """Return the one JSON text of a plain value: sorted keys, no spaces, floats in full."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def short_hash(value: Any) -> str:
    """Return 8 hexadecimal digits of the SHA-256 of a plain value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:8]


def slug(name: str, values: dict[str, Any]) -> str:
    """Return `name-key=value-…`, readable in a path; values that are not safe there are hashed together."""
    texts = {key: value if isinstance(value, str) else canonical(value) for key, value in values.items()}
    texts = {key: re.sub(r"\(([^()]*)\)", r"-\1", text) for key, text in texts.items()}
    odd = {key: values[key] for key, text in texts.items() if not SAFE_VALUE.fullmatch(text)}
    parts = [f"{key}={text}" for key, text in texts.items() if key not in odd]
    if odd:
        parts.append(f"options={short_hash(odd)}")
    return "-".join([name, *parts])
