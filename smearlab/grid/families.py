"""The families of methods that a config names: what is corrected together, fixed before the run."""

from itertools import product

from smearlab.core.errors import UserError
from smearlab.grid.definitions import CROSS_ENTROPY, Dataset, Method, Noise, computation
from smearlab.grid.resolve import Definitions, teachers_of


def families_of(definitions: Definitions) -> dict[str, list[Method]]:
    """Return all methods but cross-entropy by family, if the config names families; else {}.

    A bare name stands for all variants. What no family names is a family by its method's name, which no name that a
    config can give is equal to. UserError for cross-entropy, a method that the grid does not have, and families that
    overlap, also where two methods are one computation under a noise of the grid: one network has one verdict.
    """
    if definitions.config.families is None:
        return {}
    families = {
        name: [
            method
            for i, entry in enumerate(entries)
            for method in teachers_of(entry, definitions.methods, f"families.{name}.{i}")
        ]
        for name, entries in definitions.config.families.items()
    }
    owner = _owners(families)
    for method in definitions.methods:
        if method != CROSS_ENTROPY and method not in owner:
            owner[method] = f"{method.name} (in no family)"
            families.setdefault(owner[method], []).append(method)
    for dataset, noise in product(definitions.datasets, definitions.noises):
        for rate in noise.rates:
            _check_computations(owner, dataset, noise, rate)
    return families


def _owners(families: dict[str, list[Method]]) -> dict[Method, str]:
    owner: dict[Method, str] = {}
    for name, methods in families.items():
        for method in methods:
            if method == CROSS_ENTROPY:
                said = "is what every method is compared with; leave it out"
                raise UserError(f"config: families.{name}: {method.id} {said}")
            if method in owner:
                raise UserError(f"config: families: {method.id} stands in {owner[method]} and in {name}; name it once")
            owner[method] = name
    return owner


def _check_computations(owner: dict[Method, str], dataset: Dataset, noise: Noise, rate: float | None) -> None:
    """Refuse two methods of different families that are the same computation in a place."""
    first: dict[Method, Method] = {}
    for method, family in owner.items():
        real = computation(method, dataset, noise, rate)
        other = first.setdefault(real, method)
        if real != CROSS_ENTROPY and owner[other] != family:
            both = f"{other.id} ({owner[other]}) and {method.id} ({family})"
            raise UserError(f"config: families: {both} are one computation under noise {noise.name}; one family each")
