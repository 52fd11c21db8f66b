"""From a mapping to a checked config with all defaults filled; every fault is one line."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from smearlab.config.schema import Config
from smearlab.errors import UserError


MERGE = "tag:yaml.org,2002:merge"


class _UniqueKeys(yaml.SafeLoader):
    """A YAML loader that refuses a key given twice; YAML itself lets the last one win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set = set()
        for key_node, _ in node.value:
            if key_node.tag != MERGE and isinstance(key_node, yaml.ScalarNode):
                key = (key_node.tag, key_node.value)
                if key in seen:
                    place = f"{node.start_mark.name}, line {key_node.start_mark.line + 1}"
                    raise UserError(f"config {place}: key {key_node.value!r} stands twice")
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a config file; UserError if it is absent, not YAML, not a mapping, or gives a key twice."""
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.load(file, Loader=_UniqueKeys)  # a SafeLoader
    except OSError as error:
        raise UserError(f"config {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"config {path}: not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise UserError(f"config {path}: nested too deeply") from None
    if not isinstance(content, dict):
        raise UserError(f"config {path}: must be a mapping with the keys {', '.join(Config.model_fields)}")
    return content


def parse(content: Mapping[str, Any]) -> Config:
    """Check the shape of a config and fill its defaults; UserError with one line a fault."""
    try:
        return Config.model_validate(dict(content))
    except ValidationError as error:
        raise UserError("\n".join(dict.fromkeys(fault_lines(error, Config)))) from None


def fault_lines(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return one line a fault: the key's path, the value, what is allowed, and the nearest allowed name."""
    return [f"config: {_line(fault, model, prefix)}" for fault in error.errors(include_url=False)]


def _line(fault: Mapping[str, Any], model: type[BaseModel], prefix: str) -> str:
    location = [part for part in fault["loc"] if not str(part).startswith(("list[", "function-", "constrained"))]
    path = ".".join([*([prefix] if prefix else []), *map(str, location)])
    value = _shorten(fault["input"])
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown key {path}{_near(str(location[-1]), _keys(model, location[:-1]))}"
        case "missing":
            return f"{path} is missing"
        case "float_type" | "int_type" if isinstance(fault["input"], str):
            return f"{path}: {value} is text, not a number{_number_hint(fault['input'])}"
        case "too_short":
            return f"{path}: an empty list; give at least one value"
    return f"{path}: {value}: {_plain(fault['msg'])}"


def _number_hint(text: str) -> str:
    if re.fullmatch(r"[+-]?\d+e[+-]?\d+", text, re.IGNORECASE):
        mantissa, exponent = re.split("e", text, flags=re.IGNORECASE)
        return f" (YAML wants a point: write {mantissa}.0e{exponent})"
    return ""


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message.replace("should match pattern", "must match")


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _near(name: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; allowed: {', '.join(allowed)}" if allowed else ""


def _keys(model: type[BaseModel], location: list) -> list[str]:
    """Return the keys allowed at a place of the config by walking the models along its path."""
    current: Any = model
    for part in location:
        current = _step(current, part)
        if current is None:
            return []
    return list(current.model_fields)


def _step(model: type[BaseModel], part: Any) -> type[BaseModel] | None:
    if isinstance(part, int) or part not in model.model_fields:
        return model  # an index or a user's own name: the models below were already unwrapped
    return _inner_model(model.model_fields[part].annotation)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in reversed(getattr(annotation, "__args__", ())):
        found = _inner_model(argument)
        if found:
            return found
    return None
