"""Sheets of pictures: many small images on one, each with a line of text under it."""

import io
import math
from collections.abc import Sequence

import numpy as np

TILE = 64  # pixels to which small images are enlarged, and large ones reduced
LINE = 12
GAP = 6


def sheet(images: np.ndarray, captions: Sequence[str], columns: int = 10, tile: int = TILE) -> bytes:
    """Return a PNG with the images uint8 (N, H, W, C), left to right and top to bottom, a caption under each.

    The same input gives the same bytes. The pixels of small images stay sharp squares.
    """
    from PIL import Image, ImageDraw

    rows = max(1, math.ceil(len(images) / columns))
    width, height = tile + GAP, tile + LINE + GAP
    page = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    draw = ImageDraw.Draw(page)
    for i, (pixels, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = GAP + i % columns * width, GAP + i // columns * height
        page.paste(_picture(pixels, tile), (left, top))
        draw.text((left, top + tile), caption[: tile // 6], fill="black")
    found = io.BytesIO()
    page.save(found, "PNG", optimize=True)
    return found.getvalue()


def _picture(pixels: np.ndarray, tile: int):  # type: ignore[no-untyped-def]
    from PIL import Image

    small = max(pixels.shape[:2]) <= tile
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] in (1, 2) else pixels[..., :3])
    return image.convert("RGB").resize((tile, tile), Image.Resampling.NEAREST if small else Image.Resampling.BICUBIC)
