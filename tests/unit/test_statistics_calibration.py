"""Grids in which no method has any effect: false words stay at their level, over the headlines and in each family."""

import numpy as np
import pytest
from statistics_rows import OPTIONAL, SETTING

from smearlab.statistics.cells import NAMES, Cell
from smearlab.statistics.contrasts import comparison, contrasts_of

GRIDS, RATES = 200, (0.1, 0.2, 0.4)
METHODS = [("label_smoothing", 0.1), ("label_smoothing", 0.4), ("forward", None), ("gce", None)]


def cell(method, alpha, rate, accuracies):
    names = {**SETTING, **OPTIONAL, "role": "teacher", "method": method, "alpha": alpha, "noise_rate": rate}
    finished = {(k, k): float(value) for k, value in enumerate(accuracies)}
    naming = {name: names.get(name) for name in NAMES}
    return Cell(naming, f"{method} {alpha} {rate}", "test_accuracy", finished, frozenset(), {})


def verdicts(rng, gain=0.0):
    """Headlines and all others of a made grid, each with (family, verdict): luck shared by pairs, own luck beside."""
    cells = []
    for rate in RATES:
        luck, own = rng.normal(0.8, 0.02, 5), rng.normal(0, 0.01, (1 + len(METHODS), 5))
        cells.append(cell("cross_entropy", None, rate, luck + own[0]))
        cells += [cell(m, a, rate, luck + row + gain) for (m, a), row in zip(METHODS, own[1:], strict=True)]
    found = [c for c in contrasts_of(cells, None) if not c.cell.is_plain]
    return [(c.hypothesis[0], comparison(c, 1e-6)["verdict"]) for c in found]


def test_without_any_effect_a_page_gives_a_false_word_in_5_percent_of_grids():
    rng = np.random.default_rng(8)
    families, headlines = [], 0
    for _ in range(GRIDS):
        false = [family for family, said in verdicts(rng) if said in ("helps", "hurts")]
        headlines += ("headlines",) in false
        families.append(len(set(false) - {("headlines",)}))
    assert headlines <= 18  # of 200: 10 are expected at most; more than 18 have a chance below 1 %
    assert np.mean(families) <= 0.05 * 9 + 0.15  # three further families at each of three rates, and some luck


@pytest.mark.parametrize("gain, said", [(0.15, "helps"), (-0.15, "hurts")])
def test_a_large_effect_is_found_in_every_family(gain, said):
    assert {word for _, word in verdicts(np.random.default_rng(9), gain)} == {said}
