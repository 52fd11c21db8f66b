"""What a config defines by name: data sets, noises, recipes and methods, each with its identity in paths."""

from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from smearlab.core import registry
from smearlab.core.identity import short_hash, slug
from smearlab.core.jobs import EstimateSettings, MethodSettings, RecipeSettings, plain
from smearlab.core.transition import matched
from smearlab.grid.estimator import Estimator, read_estimator
from smearlab.grid.options import options_model
from smearlab.noises._draw import asked_transition, draws


def form(kind: str, name: str) -> str:
    """Return what a data set holds, or a network takes: images or features."""
    return str(registry.describe(kind, name).constants.get("FORM", "images"))


@dataclass(frozen=True)
class Dataset:
    """A data set: kind, split settings, options, and the fingerprint of its contents."""

    name: str
    kind: str
    settings: dict[str, Any] = field(hash=False)
    options: dict[str, Any] = field(hash=False)
    class_names: tuple[str, ...] = field(hash=False)
    fingerprint: str
    has_clean_labels: bool = True
    has_some_clean_labels: bool = True
    gold: str | None = None  # true labels, which decide no example: they may be given when all is trained
    gold_table: str | None = None  # these as a table of rows
    n_examples: int | None = None  # outside the test part, where it is known without reading an image; for the plan
    split: int | None = None  # where every replicate has its own split: the replicate that has this one

    @property
    def n_classes(self) -> int:
        """The number of classes, L."""
        return len(self.class_names)

    @property
    def form(self) -> str:
        """What its examples are: images or features."""
        return form("datasets", self.kind)

    @cached_property
    def contents(self) -> dict[str, Any]:
        """All that decides the examples; where the files lie does not."""
        places = ("path", "labels_csv")
        known = registry.without_neutral("datasets", self.kind, self.options)
        options = {key: value for key, value in known.items() if key not in places}
        return {**self.settings, **options, "fingerprint": self.fingerprint}

    @cached_property
    def identity(self) -> str:
        """Equal for definitions of the same data, whatever their names."""
        return short_hash(self.contents)

    @property
    def id(self) -> str:
        """The name in paths."""
        return f"{self.name}-{self.identity}"


@dataclass(frozen=True)
class Noise:
    """A noise kind with its options; `contents` are the options with files replaced by their fingerprints."""

    name: str
    kind: str
    options: dict[str, Any] = field(hash=False)
    contents: dict[str, Any] = field(hash=False)
    rates: tuple[float | None, ...]

    @property
    def draws(self) -> bool:
        """Whether its noise seed matters (rate 0 is the noise CLEAN, which draws nothing)."""
        return self is not CLEAN and draws(self.kind, None)

    @cached_property
    def identity(self) -> str:
        """Equal for definitions of the same noise, whatever their names."""
        return short_hash({"kind": self.kind, **self.contents})

    @property
    def id(self) -> str:
        """The name in paths."""
        return CLEAN.name if self is CLEAN else f"{self.name}-{self.identity}"

    def transition(self, dataset: Dataset, rate: float | None) -> np.ndarray | None:
        """The asked T (L, L), or None where the kind asks for none."""
        classes = dataset.class_names
        return asked_transition(
            self.kind, len(classes), dataset.kind, rate=rate, options=self.options, class_names=classes
        )


CLEAN = Noise(name="clean", kind="symmetric", options={}, contents={}, rates=(0.0,))


@dataclass(frozen=True)
class Recipe:
    """A named set of training settings; `estimate` matters to cells with an estimated T only."""

    name: str
    settings: RecipeSettings = field(hash=False)
    students_only: bool = False
    estimate: EstimateSettings = field(default_factory=EstimateSettings)

    @cached_property
    def identity(self) -> str:
        """Equal for recipes of the same settings, whatever their names."""
        return short_hash(plain(self.settings))

    @property
    def id(self) -> str:
        """The name in paths."""
        return f"{self.name}-{self.identity}"

    @property
    def block_size(self) -> int:
        """Replicates a job."""
        return self.settings.block_size

    @property
    def augments(self) -> bool:
        """Whether images are shown otherwise than they are."""
        asked = self.settings.augmentation
        return bool(asked.crop or asked.flip or asked.name != "none")

    @property
    def arch(self) -> str:
        """The network's registered name."""
        return self.settings.architecture["name"]


@dataclass(frozen=True)
class Method(MethodSettings):
    """A method with its name in paths; in `options` a file is a fingerprint, in `files` it is its contents as JSON."""

    files: dict[str, str] = field(default_factory=dict, hash=False)

    @cached_property
    def id(self) -> str:
        """The name in paths: the method and whatever is set, readable."""
        values = {**self._transition_values, "alpha": self.alpha, **self.options}
        values = {key: value for key, value in values.items() if value is not None}
        if self.warm_up:
            values["warm_up"] = self.warm_up
        return slug(self.name, values)

    @property
    def needs(self) -> str | None:
        """What its T must be: inverse, nonnegative or nothing."""
        return registry.describe("methods", self.name).constants.get("NEEDS")

    @cached_property
    def estimator(self) -> Estimator | None:
        """What its T is estimated by, or None where T is not estimated."""
        return read_estimator(self.transition or "")

    @property
    def _transition_values(self) -> dict[str, Any]:
        if self.estimator is None:
            return {"transition": self.transition}
        name = self.estimator.name
        return {"transition": f"estimated({name})", **{f"{name}.{k}": v for k, v in self.estimator.options}}

    @property
    def plain_at(self) -> dict[str, Any]:
        """The option values at which it is cross-entropy."""
        return registry.describe("methods", self.name).constants.get("PLAIN_AT", {})


CROSS_ENTROPY = Method("cross_entropy")


@cache
def _is_symmetric(dataset: Dataset, noise: Noise, rate: float | None) -> bool:
    matrix = noise.transition(dataset, rate)
    return matrix is not None and np.allclose(matrix, matched(matrix), rtol=0, atol=1e-15)


def computation(method: Method, dataset: Dataset, noise: Noise, rate: float | None) -> Method:
    """Return the method that is really computed: equal computations get one form.

    Smoothing of 0, a correction by the identity (the true or the matched T without noise, alpha 0) are
    cross-entropy; the matched T of a noise whose own T is symmetric is the true T. An estimated T is never
    taken for the identity: whether it is, without noise, is what such a cell shows. A method says in
    PLAIN_AT where it is cross-entropy: option values, and `"transition": "identity"` for a corrected loss.
    """
    transition = _simplest(method.transition, dataset, noise, rate)
    unchanged = (transition in ("true", "matched") and rate == 0) or (transition == "alpha" and method.alpha == 0)
    values = {"alpha": method.alpha, **method.options, "transition": "identity" if unchanged else transition}
    plain = method.plain_at and all(values.get(key) == value for key, value in method.plain_at.items())
    if plain or method.name == CROSS_ENTROPY.name:
        return CROSS_ENTROPY
    return replace(method, transition=transition)


def _simplest(transition: str | None, dataset: Dataset, noise: Noise, rate: float | None) -> str | None:
    """Return the plainest transition that is the same matrix."""
    if transition is not None and transition.startswith("perturbed(") and float(transition[10:-1]) == 0:
        transition = "true"
    if transition == "matched" and _is_symmetric(dataset, noise, rate):
        transition = "true"
    estimator = read_estimator(transition or "")
    return _without_defaults(estimator).text if estimator else transition


def _without_defaults(estimator: Estimator) -> Estimator:
    """Return the same estimator, naming only the options that differ from its defaults."""
    declared = registry.describe("estimators", estimator.name).options
    given = options_model("estimators", estimator.name)(**dict(estimator.options)).model_dump()
    return Estimator(estimator.name, tuple(sorted((k, v) for k, v in given.items() if v != declared[k].default)))
