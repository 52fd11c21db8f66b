"""`estimated(NAME, OPTION=VALUE, …)`: how a config names an estimator of T and sets its options."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from smearlab.core import registry
from smearlab.core.identity import canonical, slug

SPELLING = re.compile(r'estimated\(\s*(\w+)\s*((?:,\s*\w+\s*=\s*"?[\w.+-]+"?\s*)*)\)')


@dataclass(frozen=True)
class Estimator:
    """A registered estimator with the options that were given to it, sorted by name."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def id(self) -> str:
        """The name of its files."""
        return slug(self.name, dict(self.options))

    @property
    def learns_from_gold(self) -> bool:
        """Whether it needs examples of known true label."""
        return bool(registry.describe("estimators", self.name).constants.get("GOLD", False))

    @property
    def text(self) -> str:
        """The one spelling of the transition it estimates."""
        return f"estimated({', '.join([self.name, *(f'{key}={canonical(value)}' for key, value in self.options)])})"


def read_estimator(transition: str) -> Estimator | None:
    """Return the estimator that a transition names, None for another transition; ValueError for a bad spelling."""
    if not transition.startswith("estimated("):
        return None
    spelled = SPELLING.fullmatch(transition)
    if spelled is None:
        raise ValueError(
            "allowed: estimated(NAME) or estimated(NAME, OPTION=VALUE); in a list in brackets it needs quotes"
        )
    name, given = spelled.groups()
    pairs = [[side.strip() for side in pair.split("=")] for pair in given.split(",")[1:]]
    options = {key: _value(text) for key, text in pairs}
    if len(options) < len(pairs):
        raise ValueError("an option stands here twice")
    return Estimator(name, tuple(sorted(options.items())))


def _value(text: str) -> Any:
    """Return a value as a config spells it."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        raise ValueError(f"{text!r} is not a value") from None
    if not isinstance(value, str | int | float | None):
        raise ValueError(f"{text!r} is not a number, a text, true or false")
    return value
