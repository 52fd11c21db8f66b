"""1,797 real 8×8 handwritten digits in 10 classes, bundled with scikit-learn (Alpaydin, Kaynak, 1998)."""

import numpy as np

from smearlab.datasets._raw import RawData

CLASS_NAMES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]


def load() -> RawData:
    """Return the digits: images uint8 (1797, 8, 8, 1), labels int64 (1797,), no split.

    The source counts ink from 0 to 16 per pixel; v becomes round(255·v/16), halves up, so that 16 is 255.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    ink = digits.images.astype(np.int64)
    return RawData(
        images=((ink * 255 + 8) // 16).astype(np.uint8)[..., None],
        labels=digits.target.astype(np.int64),
        noisy_labels=None,
        split=np.full(len(ink), ""),
        class_names=class_names(),
        source="digits",
    )


def class_names() -> list[str]:
    """Return the ten digits."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content: the number changes only if the images or their scaling do."""
    return "digits-1"


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all: the source has no test part."""
    return 1797, 1797
