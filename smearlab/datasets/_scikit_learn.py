"""Tables that are bundled with scikit-learn, as data sets of features."""

from typing import Any

import numpy as np

from smearlab.datasets._raw import RawData


def from_bunch(bunch: Any, source: str, class_names: list[str]) -> RawData:
    """Return features float64 (N, D), labels int64 (N,) and no split."""
    return RawData(
        images=np.ascontiguousarray(bunch.data, dtype=np.float64),
        labels=bunch.target.astype(np.int64),
        noisy_labels=None,
        split=np.full(len(bunch.target), ""),
        class_names=class_names,
        source=source,
    )
