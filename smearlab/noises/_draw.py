"""Noisy labels: drawn by one shared sampler, written with an audit, refused when they do not match."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core import registry, transition
from smearlab.core.class_labels import class_order, natural_order, sorts_as_text
from smearlab.core.errors import UserError
from smearlab.core.seeds import numpy_generator
from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._doubts import label_doubts, transition_doubts
from smearlab.noises._sampler import sample_transition
from smearlab.store.files import sha256_array, write_npz, write_sealed
from smearlab.store.labels import dataset_hashes

GENERATOR_VERSION = 1  # raise it when the same seed no longer gives the same labels


def is_rated(kind: str, options: Mapping[str, Any]) -> bool:
    """Whether a noise takes a rate; a noise made of another one (option `of`) does as that one does."""
    rated = registry.describe("noises", kind).constants.get("RATED", True)
    return is_rated(*inner_noise(options["of"])) if rated == "of" else bool(rated)


def draws(kind: str, rate: float | None) -> bool:
    """Whether the noise seed matters: not where labels are given, nor at rate 0."""
    return bool(registry.describe("noises", kind).constants.get("DRAWS", True)) and rate != 0


def aligns(kind: str, options: Mapping[str, Any]) -> bool:
    """Whether a noise reads labels from a file whose rows must find their examples."""
    if "of" in options:
        return aligns(*inner_noise(options["of"]))
    return bool(registry.describe("noises", kind).constants.get("ALIGNS", False))


def rate_range(kind: str, n_classes: int, options: Mapping[str, Any]) -> tuple[float, float]:
    """Return (low, high): rates from low on and below high are allowed."""
    if registry.describe("noises", kind).constants.get("RATED") == "of":
        inner = inner_noise(options["of"])
        return rate_range(inner[0], n_classes, inner[1])
    limits = getattr(registry.load("noises", kind), "rate_range", None)
    return limits(n_classes) if limits else (0.0, 1.0)


def inner_noise(definition: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return kind and options of a noise that another one is made of: {kind: NAME, further options}.

    Raises UserError unless the kind is named, registered and not itself made of another, and takes the options.
    """
    options = dict(definition)
    kind = options.pop("kind", None)
    entry = registry.describe("noises", str(kind))
    if entry.constants.get("RATED") == "of":
        raise UserError(f"noise {kind!r} cannot be made of another {kind!r}")
    for name in options:
        if name not in entry.options or name == "rate":
            allowed = [option for option in entry.options if option != "rate"]
            raise UserError(f"noise {kind!r} has no option {name!r}; it has {', '.join(allowed) or 'none'}")
    return kind, options


def asked_transition(
    kind: str,
    n_classes: int,
    dataset_kind: str,
    *,
    rate: float | None,
    options: Mapping[str, Any],
    class_names: Sequence[str] | None = None,
) -> np.ndarray | None:
    """Return the T that a noise asks for, (L, L), without reading any data; None where it asks for none.

    class_names (L,): "0" to "L-1" where they are not given. Raises UserError where the options do not fit the
    classes or the data set.
    """
    function = getattr(registry.load("noises", kind), "transition", None)
    if function is None:
        return None
    names = [str(i) for i in range(n_classes)] if class_names is None else list(class_names)
    context = {"n_classes": n_classes, "dataset_kind": dataset_kind, "class_names": names}
    wanted = [context[name] for name in inspect.signature(function).parameters if name in context]
    return function(*wanted, rate=rate, **options)


def draw(
    kind: str, context: NoiseContext, *, rate: float | None, noise_seed: int, options: Mapping[str, Any]
) -> Observed:
    """Return the observed labels of every training and validation example.

    A kind with a T has one uniform number per example, in the order of training.npz, taken through the
    inverse distribution of row T[true]: an example's label depends on its own number only. Raises UserError
    for a rate outside the kind's range, and where clean labels are needed but unknown.
    """
    _check_rate(kind, context.n_classes, rate, options)
    context = replace(context, noise_seed=noise_seed)
    rng = numpy_generator("noise", "labels", noise_seed)
    module = registry.load("noises", kind)
    if registry.describe("noises", kind).constants.get("DRAWS", True) and (context.labels < 0).any():
        raise UserError(
            f"noise {kind!r} needs the clean labels, which data set {context.dataset_kind!r} does not have "
            f"for {int((context.labels < 0).sum())} examples; use noise 'labels'"
        )
    if hasattr(module, "observe"):
        return _held_against(kind, context, module.observe(context, rng, rate=rate, **options))
    asked = asked_transition(
        kind, context.n_classes, context.dataset_kind, rate=rate, options=options, class_names=context.class_names
    )
    if asked is None:
        raise UserError(f"noise {kind!r} neither observes labels nor asks for a T")
    drawn = sample_transition(asked, context.labels, rng.random(len(context.labels)))
    observed = _held_against(kind, context, Observed(drawn, asked))
    return replace(observed, doubts=(*observed.doubts, *_order_doubts(kind, context, asked, rate, options)))


def _held_against(kind: str, context: NoiseContext, observed: Observed) -> Observed:
    """Add what speaks against labels, or a T, that somebody gave (GIVEN); what smearlab draws itself needs no doubt."""
    given = registry.describe("noises", kind).constants.get("GIVEN")
    find = {"labels": label_doubts, "transition": transition_doubts}.get(str(given))
    if find is None:
        return observed
    order = np.argsort(context.source_index, kind="stable")
    found = find(context.labels[order], observed.labels[order], context.class_names)
    return replace(observed, doubts=(*observed.doubts, *found))


def _order_doubts(
    kind: str, context: NoiseContext, asked: np.ndarray, rate: float | None, options: Mapping[str, Any]
) -> tuple[str, ...]:
    """Say in which order a given T or class map counts classes, where names sort as text and it carries no names."""
    given, names = registry.describe("noises", kind).constants.get("GIVEN"), context.class_names
    if given is None or not sorts_as_text(names):
        return ()
    numbered = natural_order(names)
    try:
        other = asked_transition(
            kind, len(names), context.dataset_kind, rate=rate, options=options, class_names=numbered
        )
    except UserError:
        return ()  # its own names decide the order
    place = [numbered.index(name) for name in names]
    if other is None or np.array_equal(other[np.ix_(place, place)], asked):
        return ()
    return (f"the {given.replace('_', ' ')} counts classes in the order of names as text ({class_order(names)})",)


def audit(
    kind: str,
    context: NoiseContext,
    observed: Observed,
    *,
    rate: float | None,
    noise_seed: int,
    options: Mapping[str, Any],
    dataset: str,
    manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the labels are and what they show, ready for JSON.

    `manifest` is the content of training.json. Rates, counts and the realised T are over the training part;
    they are None where the clean label of some example is unknown: a gold set is no sample that they could be taken
    from without its weights. `doubts` is there only where there are any.
    """
    train = context.part == 0
    labels = context.labels if (context.labels >= 0).all() else np.full_like(context.labels, -1)
    found = transition.realised(labels[train], observed.labels[train], context.n_classes)
    known = labels[train & (labels >= 0)]
    per_class = [None if np.isnan(stay) else float(1.0 - stay) for stay in np.diag(found)]
    return {
        "kind": kind,
        "noise_rate": rate,
        "options": registry.without_neutral("noises", kind, dict(options)),
        "noise_seed": noise_seed,
        "dataset": dataset,
        "dataset_sha256": dataset_hashes(manifest),
        "labels_sha256": sha256_array(observed.labels),
        "n": len(observed.labels),
        "class_counts": np.bincount(known, minlength=context.n_classes).tolist(),
        "transition_asked": transition.to_lists(observed.transition),
        "transition_realised": transition.to_lists(found),
        "realised_noise_rate": _wrong_share(labels[train], observed.labels[train]),
        "realised_noise_rate_validation": _wrong_share(labels[~train], observed.labels[~train]),
        "per_class_noise_rate": per_class,
        "n_wrong": int(_wrong(labels[train], observed.labels[train]).sum()),
        "generator": {"name": "numpy PCG64", "numpy": np.__version__, "version": GENERATOR_VERSION},
        "difficulty": _difficulty_summary(observed.difficulty, _wrong(labels, observed.labels)),
        **({"doubts": list(observed.doubts)} if observed.doubts else {}),
    }


def write_labels(labels_path: str | Path, audit_path: str | Path, observed: Observed, record: dict[str, Any]) -> None:
    """Write labels.npz (observed int64 (N,), and difficulty float64 (N,) if there is one) and audit.json."""
    arrays = {"observed": observed.labels}
    if observed.difficulty is not None:
        arrays["difficulty"] = observed.difficulty
    write_npz(labels_path, arrays)
    write_sealed(audit_path, record)


def _check_rate(kind: str, n_classes: int, rate: float | None, options: Mapping[str, Any]) -> None:
    if not is_rated(kind, options):
        if rate is not None:
            raise UserError(f"noise {kind!r} takes no rate, but {rate} was given")
        return
    low, high = rate_range(kind, n_classes, options)
    if rate is None or not low <= rate < high:
        raise UserError(
            f"noise {kind!r} with {n_classes} classes: rate {rate}, allowed from {low:g} to below {high:g}"
            f"{too_high(kind, rate, high)}"
        )


def too_high(kind: str, rate: float | None, high: float) -> str:
    """Return what to do about a rate at or above the allowed ones, as the tail of a message."""
    hint = registry.describe("noises", kind).constants.get("TOO_HIGH", "")
    return f"; {hint}" if hint and rate is not None and rate >= high else ""


def _wrong(true: np.ndarray, observed: np.ndarray) -> np.ndarray:
    return (true >= 0) & (observed >= 0) & (true != observed)


def _wrong_share(true: np.ndarray, observed: np.ndarray) -> float | None:
    known = (true >= 0) & (observed >= 0)
    return float(_wrong(true, observed).sum() / known.sum()) if known.any() else None


def _difficulty_summary(difficulty: np.ndarray | None, wrong: np.ndarray) -> dict[str, float | None] | None:
    if difficulty is None:
        return None
    low, middle, high = np.quantile(difficulty, [0.25, 0.5, 0.75])
    return {
        "mean": float(difficulty.mean()),
        "quartile_1": float(low),
        "median": float(middle),
        "quartile_3": float(high),
        "mean_of_wrong": float(difficulty[wrong].mean()) if wrong.any() else None,
        "mean_of_right": float(difficulty[~wrong].mean()) if (~wrong).any() else None,
    }
