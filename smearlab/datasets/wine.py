"""178 wines of three cultivars, 13 chemical measurements each, bundled with scikit-learn (Aeberhard, Forina, 1992)."""

from smearlab.datasets._raw import RawData
from smearlab.datasets._scikit_learn import from_bunch

FORM = "features"
CLASS_NAMES = ["cultivar 1", "cultivar 2", "cultivar 3"]


def load() -> RawData:
    """Return the wines: features (178, 13), labels of the cultivars, no split."""
    from sklearn.datasets import load_wine

    return from_bunch(load_wine(), "wine", class_names())


def class_names() -> list[str]:
    """Return the cultivars, which the source numbers."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content."""
    return "wine-1"


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all: the source has no test part."""
    return 178, 178
