"""Images that are not square are centred on black squares, and the data set says so."""

import numpy as np
import pytest

from smearlab.datasets._raw import RawData
from smearlab.datasets._splitting import squared


def raw(height: int, width: int) -> RawData:
    images = np.full((6, height, width, 1), 200, dtype=np.uint8)
    return RawData(images, np.arange(6) % 2, None, np.full(6, ""), ["a", "b"])


@pytest.mark.parametrize(("height", "width"), [(5, 8), (8, 5), (7, 10)])
def test_a_rectangle_is_centred_on_a_square(height: int, width: int):
    data = squared(raw(height, width))
    side = max(height, width)
    assert data.images.shape == (6, side, side, 1)
    assert (data.images > 0).sum() == 6 * height * width
    top, left = (side - height) // 2, (side - width) // 2
    assert (data.images[:, top : top + height, left : left + width] == 200).all()
    assert data.notes == [f"images of {height}×{width} pixels were centred on black squares of {side}×{side}"]


def test_a_square_is_left_as_it_is():
    data = raw(8, 8)
    assert squared(data) is data
