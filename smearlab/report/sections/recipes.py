"""The recipes of the config, line by line."""

import json
from typing import Any


def recipes(config: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return the settings of each recipe."""
    return {name: settings(recipe) for name, recipe in config.get("recipes", {}).items()}


def settings(value: Any) -> list[tuple[str, str]]:
    """Flatten a setting into (path, text) pairs, in the order of the config."""
    return [(path, shown) for path, shown in _flat(value, "") if path]


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for i, inner in enumerate(value) for pair in _flat(inner, f"{path}.{i}")]
    if value is None or value in ("", [], {}):
        return []
    return [(path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
