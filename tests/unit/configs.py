"""Small configs for the tests, as a user would write them."""

import copy
from typing import Any

TINY: dict[str, Any] = {
    "name": "tiny",
    "datasets": {"digits": {"kind": "digits", "subset": 200, "test_subset": 100}},
    "noises": {"symmetric": {"kind": "symmetric", "rates": [0, 0.4]}},
    "recipes": {
        "small": {"architecture": {"name": "cnn", "width": 8}, "epochs": 2, "batch_size": 32, "block_size": 2},
    },
    "methods": [
        {"name": "cross_entropy"},
        {"name": "label_smoothing", "alphas": [0.1, 0.4]},
        {"name": "forward", "transition": "true"},
        {"name": "backward", "transition": "matched", "clip": None},
    ],
    "students": [{"teachers": ["cross_entropy"], "temperatures": [4], "betas": [0.5]}],
    "replicates": {"design": "paired", "blocks": 1},
}


def config(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the tiny config with some values set at dotted paths; a path ending in `-` removes its key."""
    content = copy.deepcopy(TINY)
    for path, value in changes:
        put(content, path, value)
    return content


def put(content: dict[str, Any], path: str, value: Any) -> None:
    """Set one value at a dotted path."""
    *parents, last = path.split(".")
    place: Any = content
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if last.endswith("-"):
        del place[last[:-1]]
    elif isinstance(place, list):
        place[int(last)] = copy.deepcopy(value)
    else:
        place[last] = copy.deepcopy(value)
