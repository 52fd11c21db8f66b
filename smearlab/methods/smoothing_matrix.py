"""Smoothing towards a matrix from a file: M = (1 - alpha) I + alpha S, the general M of Lukasik et al. 2020.

S has a row for each label, of numbers >= 0 that sum to 1: the target that the label is smoothed towards. With all
entries 1 / L it is label smoothing. Any row-stochastic M with a positive diagonal is reached, by an alpha of at least
1 - its least diagonal entry and S = (M - (1 - alpha) I) / alpha.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Annotated

import torch

from smearlab.core.smearing import log_probabilities, of_label, weighted

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "smoothing towards a matrix"
FAMILY = "smoothing"
PLAIN_AT = {"alpha": 0}
FILES = ("matrix",)


def loss(logits: Tensor, labels: Tensor, *, alpha: Annotated[float, Field(lt=1)], matrix: str) -> Tensor:
    """Return (1 - alpha) l(y) + alpha sum_j S[y, j] l(j) per example, (B,).

    matrix: in a config the path of S (L, L), a .npy, .csv or .json file; here its rows as JSON, as the job holds them.
    """
    log_p = log_probabilities(logits)
    towards = _matrix(matrix, logits.device)
    return alpha * weighted(log_p, labels, towards) - (1.0 - alpha) * of_label(log_p, labels)


@functools.cache
def _matrix(rows: str, device: torch.device) -> Tensor:
    return torch.tensor(json.loads(rows), dtype=torch.float64, device=device)
