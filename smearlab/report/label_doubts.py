"""What the top of the page says of labels that may not be those of the images."""

from collections.abc import Iterable, Mapping
from typing import Any


def sentences(doubts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each doubt (dataset, noise, doubt), as collected from the audits of the labels."""
    return [f"Look at the labels first: {_labels(doubt)}: {doubt['doubt']}." for doubt in doubts]


def _labels(doubt: Mapping[str, Any]) -> str:
    return f"noise {str(doubt['noise']).replace('_', ' ')} of data set {doubt['dataset']}"
