"""Whether the classes of a data set are of such unequal size that accuracy alone says little."""

from smearlab.store.measure import PLAIN
from smearlab.store.tables import Tables

FAR = 1.5  # times the share that the largest class would have among equal ones


def unequal(tables: Tables) -> set[str]:
    """Return the data sets whose largest class is that far above its equal share of the true test labels."""
    classes = {name: said.get("n_classes") for name, said in tables.context.get("datasets", {}).items()}
    if "test_majority_share" not in tables.metrics:
        return set()
    shares = tables.metrics.groupby("dataset")["test_majority_share"].max().dropna()
    return {str(name) for name, share in shares.items() if classes.get(name) and share > FAR / classes[name]}


def by_class(tables: Tables) -> bool:
    """Whether classes stand beside the measure: one in which each counts the same, or classes of unequal size."""
    return PLAIN in tables.metrics or bool(unequal(tables))
