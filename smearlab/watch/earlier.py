"""What of the results that no config names may be an earlier version's, made from a config as it is today.

A version may name the same settings otherwise: a key or an option came later, a fingerprint is taken in another way.
So results of the same names are compared with today's by what they say of their settings, not by the hashes in paths.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings, RecipeSettings, plain, typed
from smearlab.grid.cells import RESULTS
from smearlab.grid.dag import RUN, STAGES, Node, noise_seeds
from smearlab.store.files import read_sealed
from smearlab.watch.forms import NAMED, UNITS, WILDCARDS
from smearlab.watch.reasons import flat
from smearlab.watch.records import REFUSED, Records, noted_params

KINDS = ("make_dataset", "make_labels", "warm_up", "train_teacher", "distill_student")
METHODS = ("method", "teacher_method", "student")  # wildcards whose name is a method, with its options behind it
IDENTITIES = ("code", "cell", "dataset", "modules", REFUSED)  # of what is noted of a job: no settings
Key = tuple[str, ...]


@dataclass(frozen=True)
class Kin:
    """How results that no config names are related to those that a config names.

    later: where both are of the same settings, the keys that came later; None where the settings differ or are not
    known, and only the names are the same.
    """

    config: str
    later: tuple[str, ...] | None = None


class Earlier:
    """The jobs of all configs by the names in their places, without hashes."""

    def __init__(self, grids: Iterable[tuple[str, list[Node]]], records: Records) -> None:
        self._grids, self._records = list(grids), records

    @cached_property
    def _known(self) -> dict[Key, list[tuple[str, Node]]]:
        known: dict[Key, list[tuple[str, Node]]] = defaultdict(list)
        for config, nodes in self._grids:
            for node in nodes:
                if node.rule in KINDS:
                    known[_key(node.rule, _parts(node.rule, node.name))].append((config, node))
        return known

    def of(self, unit: str) -> Kin | None:
        """Return how a unit is related to what the configs name; None where it is not."""
        rule = next((rule for rule in KINDS if UNITS[rule].fullmatch(unit)), None)
        if rule is None:
            return None
        parts = _parts(rule, unit)
        alike = self._known.get(_key(rule, parts), [])
        for config, node in alike:
            if (later := self._later(rule, unit, node)) is not None:
                return Kin(config, later)
        return Kin(alike[0][0]) if _is_other(parts, [_parts(rule, node.name) for _, node in alike]) else None

    def _later(self, rule: str, unit: str, node: Node) -> tuple[str, ...] | None:
        """Return the keys by which a job's settings go beyond those of a unit; None where they differ in others."""
        theirs, ours = _parts(rule, unit), _parts(rule, node.name)
        if not self._same_labels(rule, theirs, ours, node):
            return None
        if noted := noted_params(self._records.of(list(STAGES[rule].outputs(unit).values())[-1]) or {}):
            return _added(noted, node.decide())
        told = any(theirs.get(wildcard) != ours.get(wildcard) for wildcard in ("teacher_method", "student"))
        return None if told or not STAGES[rule].trains else _beyond_account(unit, node)

    def _same_labels(self, rule: str, theirs: Mapping[str, str], ours: Mapping[str, str], node: Node) -> bool:
        """Return whether what a unit was made from is what a job reads, or was by an earlier version."""
        if rule == "make_dataset":
            return True
        drawn = rule == "make_labels"
        if theirs["dataset"] == ours["dataset"] and (drawn or theirs["noise"] == ours["noise"]):
            return True
        seed = noise_seeds(node.cell, node.block)[0] if node.cell else 0
        before = STAGES["make_dataset" if drawn else "make_labels"]
        kin = self.of(before.at.format(**{"seed": seed, **theirs}))
        return kin is not None and kin.later is not None


def _beyond_account(unit: str, node: Node) -> tuple[str, ...] | None:
    """Return the same as Earlier._later by what a training says of itself."""
    try:
        said = read_sealed(Path(RESULTS, unit, RUN), "recipe", "method")
    except UserError:
        return None
    from smearlab.training.objective import adjusted_recipe  # only here: it loads torch

    now = node.decide()
    recipe, method = typed(RecipeSettings, now["recipe"]), typed(MethodSettings, now["method"])
    before = {key: said[key] for key in ("recipe", "method")}
    return _added(before, {"recipe": plain(adjusted_recipe(recipe, method)), "method": now["method"]})


def _is_other(theirs: Mapping[str, str], known: list[dict[str, str]]) -> bool:
    """Return whether a place holds the hash of settings that no place of the same names has any more.

    Where it does not, only a value in it (an α, a temperature) is asked no more.
    """
    named = [wildcard for wildcard in theirs if _is_named(wildcard)]
    return bool(known) and any(all(theirs[wildcard] != ours[wildcard] for ours in known) for wildcard in named)


def _parts(rule: str, unit: str) -> dict[str, str]:
    found = UNITS[rule].fullmatch(unit)
    return found.groupdict() if found else {}


def _key(rule: str, parts: Mapping[str, str]) -> Key:
    return (rule, *(_name(wildcard, part) for wildcard, part in parts.items()))


def _name(wildcard: str, part: str) -> str:
    """Return what stays of a part of a place whatever its settings are."""
    if _is_named(wildcard) and "-" in part:
        return part.rpartition("-")[0]
    return part.partition("-")[0] if wildcard in METHODS else part


def _is_named(wildcard: str) -> bool:
    return NAMED in WILDCARDS.get(wildcard, "")


def _added(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the places of values that came to settings; None where any value of before is another one now."""
    old, new = (_settings(job) for job in (before, now))
    if any(place not in new or new[place] != value for place, value in old.items()):
        return None
    return tuple(place for place in new if place not in old)


def _settings(job: dict[str, Any]) -> dict[str, Any]:
    """Return the settings among what decides a job, by their place."""
    given = flat({key: value for key, value in job.items() if key not in IDENTITIES})
    return {place: value for place, value in given.items() if value != {}}
