"""What a figure file returns."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A figure with its words: a short title, a caption (axes, what to see), a text for who cannot see it."""

    figure: Figure
    title: str
    caption: str
    alt: str
