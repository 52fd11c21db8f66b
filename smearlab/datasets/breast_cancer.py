"""569 tumours, 30 measurements of cell nuclei each, bundled with scikit-learn (Wolberg, Mangasarian, Street, 1995)."""

from smearlab.datasets._raw import RawData
from smearlab.datasets._scikit_learn import from_bunch

FORM = "features"
CLASS_NAMES = ["malignant", "benign"]


def load() -> RawData:
    """Return the tumours: features (569, 30), 212 malignant and 357 benign, no split."""
    from sklearn.datasets import load_breast_cancer

    return from_bunch(load_breast_cancer(), "breast_cancer", class_names())


def class_names() -> list[str]:
    """Return the two diagnoses."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content."""
    return "breast_cancer-1"


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all: the source has no test part."""
    return 569, 569
