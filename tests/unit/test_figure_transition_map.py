"""Heat maps of estimated transition matrices: an entry is a pixel, and a hundred classes do not fill the page."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from smearlab.figures import transition_map
from smearlab.figures._save import to_svg
from smearlab.report import svg

SHADES = {0.0: 255, 1.0: 0}  # white and black are the ends of the scale


def _maps(matrices: list[np.ndarray]) -> str:
    head = {"dataset": "d", "noise": "symmetric", "noise_rate": 0.4, "recipe": "r", "estimator": "anchor"}
    entries = [{**head, "transition": matrix.tolist()} for matrix in matrices]
    drawing = transition_map.draw(SimpleNamespace(context={"estimates": entries, "datasets": {}}))  # type: ignore
    assert drawing is not None
    return svg.inline(to_svg(drawing), "f0", svg.Stylesheet())


@pytest.mark.parametrize("n", [2, 10])
def test_each_row_is_a_true_class_from_the_top(n):
    matrix = np.roll(np.eye(n), 1, axis=1)  # class k is always labelled k + 1
    (address,) = re.findall(r'href="data:image/png;base64,([^"]*)"', _maps([matrix]))
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(address))).convert("L"))
    assert pixels.shape == (n, n)
    assert (pixels[matrix == 1] == SHADES[1.0]).all() and (pixels[matrix == 0] == SHADES[0.0]).all()


def test_six_dense_matrices_of_a_hundred_classes_stay_small():
    rng = np.random.default_rng(0)
    matrices = [rng.dirichlet(np.ones(100), size=100) for _ in range(6)]
    assert len(_maps(matrices)) < 200_000  # 2.7 MB as shapes
