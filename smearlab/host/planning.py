"""Snakemake's work for each job of a large grid, where it is the same for all jobs or for nothing.

Two names here are private to Snakemake, and no release note will tell of their end: `SourceCache._cache`, by which it
finds a source, and FUNC_OVERWRITE_PARAMS_ATTR, in which it looks for a function's parameters. Where they are gone
planning is slower and no less right; tests/unit/test_planning.py fails, so that it is noticed.
"""

import atexit
import gc
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

THRESHOLDS = (100_000, 50, 50)  # new objects, and rounds of the younger generation, before the collector looks


def collect_seldom() -> None:
    """Have the garbage collector look at this process seldom, and not at its end.

    A plan is objects that live as long as the run: looking through them again and again was a quarter of planning.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    atexit.register(gc.freeze)


def remember_sources(sources: Any) -> None:
    """Have Snakemake's cache of sources find a file once: it looks for the one script of all rules at each job.

    Where a Snakemake finds files by another name, nothing changes.
    """
    if (find := getattr(sources, "_cache", None)) is not None:
        sources._cache = cache(find)


def with_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    """Note a function's parameters where Snakemake looks for them: several times a job, and inspecting takes long.

    Where a Snakemake looks elsewhere, it inspects the function, and nothing changes.
    """
    function._overwrite_params = inspect.signature(function).parameters  # type: ignore[attr-defined]
    return function


def shared_values(asked: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the values that are the same in all of these, by name; none of none."""
    return {name: value for name, value in asked[0].items() if all(a[name] == value for a in asked)} if asked else {}
