"""From a mapping to a checked config with all defaults filled; every fault is one line."""

import difflib
import json
import math
import re
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from smearlab.core.errors import UserError
from smearlab.grid.schema import Config

MAX_BYTES = 512 * 1024
MAX_DEPTH = 12
MAX_VALUES = 100_000
LONGEST_TEXT = 4095  # bytes, of a path on Linux; a title is shorter


class _Strict(yaml.SafeLoader):
    """A YAML loader that refuses what YAML reads as something else in silence.

    That is a key given twice, where the last one wins, and a number in other than decimal digits: 010 is 8
    there, 1:30 is 90, 3_2 is 32; only thousands may be parted: 1_000.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)  # before merge keys (<<) are resolved, which may repeat a key
        seen: set[tuple[str, Any]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    place = f"{key.start_mark.name}, line {key.start_mark.line + 1}"
                    raise UserError(f"config {place}: key {key.value!r} stands twice")
                seen.add((key.tag, key.value))
        return node

    def construct_number(self, node: yaml.ScalarNode) -> float:
        whole = node.tag.endswith(":int")
        grouped = re.fullmatch(r"[-+]?[1-9]\d{0,2}(_\d{3})+", node.value)
        if ":" in node.value or ("_" in node.value and not grouped) or (whole and re.match(r"[-+]?0[^.]", node.value)):
            place = f"{node.start_mark.name}, line {node.start_mark.line + 1}"
            raise UserError(f"config {place}: {_shorten(node.value)}: write a number in plain decimal digits")
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)


for _tag in ("int", "float"):
    _Strict.add_constructor(f"tag:yaml.org,2002:{_tag}", _Strict.construct_number)


def _unique_pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise UserError(f"key {key!r} stands twice")
        content[key] = value
    return content


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a config file, YAML or JSON; UserError if it is absent, neither, not a mapping, or gives a key twice."""
    try:
        _check_file(Path(path))
        with open(path, encoding="utf-8") as file:
            content = _read_json(file.read(), path) if Path(path).suffix == ".json" else yaml.load(file, _Strict)
    except OSError as error:
        raise UserError(f"config {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:  # a wrong date or an odd key is a ValueError or TypeError
        raise UserError(f"config {path}: not YAML or JSON: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise UserError(f"config {path}: nested too deeply") from None
    if not isinstance(content, dict):
        raise UserError(f"config {path}: must be a mapping with the keys {', '.join(Config.model_fields)}")
    return content


def _check_file(path: Path) -> None:
    """Raise UserError for what would be read without end: a pipe, a device, a file larger than any config."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"config {path}: not a plain file")
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise UserError(f"config {path}: larger than {MAX_BYTES // 1024} KiB")


def _read_json(text: str, path: str | Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique_pairs)
    except UserError as error:
        raise UserError(f"config {path}: {error}") from None


def check_plain(content: Any) -> None:
    """Raise UserError unless a config is made of mappings, lists, text, finite numbers and truth values.

    Bounds depth and size as well, counting what an alias repeats: nothing that follows need fear them.
    """
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    count = 0
    while waiting:
        path, value, depth = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise UserError(f"config: more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise UserError(f"config: {path[:60]}: nested more than {MAX_DEPTH} deep")
        fault = _not_plain(value)
        if fault:
            raise UserError(f"config: {path or 'top level'}: {_shorten(value)}: {fault}")
        items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        waiting += [(f"{path}.{key}" if path else str(key), item, depth + 1) for key, item in items]


def _not_plain(value: Any) -> str | None:
    """Return what is wrong with one value, or None."""
    match value:
        case Mapping():
            odd = [key for key in value if not (isinstance(key, str) and key.isprintable() and len(key) <= 100)]
            return f"key {_shorten(odd[0])} is not a short printable text; numbers need quotes" if odd else None
        case str():
            return _not_plain_text(value)
        case float():
            return None if math.isfinite(value) else "must be a finite number"
        case None | bool() | int() | list():
            return None
    return "must be text, a number, true or false, a list or a mapping; text that looks like a date needs quotes"


def _not_plain_text(text: str) -> str | None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a character that no file can hold"
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
        return "holds a control character, which a terminal would obey"
    if len(text.encode()) > LONGEST_TEXT:
        return f"is longer than any path or title ({LONGEST_TEXT} bytes)"
    return None


def parse(content: Mapping[str, Any]) -> Config:
    """Check the shape of a config and fill its defaults; UserError with one line a fault."""
    check_plain(content)
    try:
        return Config.model_validate(dict(content))
    except ValidationError as error:
        raise UserError("\n".join(dict.fromkeys(fault_lines(error, Config)))) from None


def fault_lines(
    error: ValidationError, model: type[BaseModel], prefix: str = "", beside: Iterable[str] = ()
) -> list[str]:
    """Return one line a fault: the key's path, the value, what is allowed, and the nearest allowed name.

    beside: names that are allowed at the same place although the model does not have them.
    """
    return [f"config: {_line(fault, model, prefix, list(beside))}" for fault in error.errors(include_url=False)]


def _line(fault: Mapping[str, Any], model: type[BaseModel], prefix: str, beside: list[str]) -> str:
    location = [part for part in fault["loc"] if not str(part).startswith(("list[", "function-", "constrained"))]
    if location[-1] == "[key]":
        location = location[:-2]  # what is wrong is a name, which stands in the message
    path = ".".join([*([prefix] if prefix else []), *map(str, location)])
    value = _shorten(fault["input"])
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown key {path}{_near(str(location[-1]), [*beside, *_keys(model, location[:-1])])}"
        case "missing":
            return f"{path} is missing"
        case "float_type" | "int_type" if isinstance(fault["input"], str):
            return f"{path}: {value} is text, not a number{_text_hint(fault['input'])}"
        case "bool_type" if isinstance(fault["input"], str):
            return f"{path}: {value} is text, not true or false{_text_hint(fault['input'])}"
        case "too_short":
            return f"{path}: an empty {'mapping' if fault['input'] == {} else 'list'}; give at least one value"
    return f"{path}: {value}: {_plain(fault['msg'])}"


def _text_hint(text: str) -> str:
    """Return how a text is written as the value that it looks like, if it does."""
    if re.fullmatch(r"[+-]?\d+e[+-]?\d+", text, re.IGNORECASE):
        mantissa, exponent = re.split("e", text, flags=re.IGNORECASE)
        return f" (YAML wants a point: write {mantissa}.0e{exponent})"
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|true|false|null", text, re.IGNORECASE):
        return (
            " (write it without quotes; in a list or mapping after --config Snakemake makes text of everything: "
            "put it in a file and give that with --configfile)"
        )
    return ""


PLAINER = (
    (r"^(Value error, |Input )", ""),
    (r"^String should match pattern .*", "must be letters, digits and _, and not begin with _"),
    (r"valid dictionary or instance of \w+|valid dictionary", "mapping (key: value)"),
    (r"valid integer", "whole number"),
    (r"valid (number|list|string|boolean)", r"\1"),
    (r"\bstring\b", "text"),
    (r"\bboolean\b", "true or false"),
    (r"should be a (text|true)", r"should be \1"),
)


def _plain(message: str) -> str:
    for pattern, words in PLAINER:
        message = re.sub(pattern, words, message)
    return message


def _shorten(value: Any) -> str:
    shown = reprlib.Repr()
    shown.maxstring = shown.maxother = 60
    text = shown.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _near(name: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; allowed: {', '.join(allowed)}" if allowed else "; no option is known here"


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
