"""The maths of the label-smearing family: one log-softmax, and weights M on the losses of all classes.

Source: Lukasik et al. 2020, section 3: the smeared loss is M l, with l[j] = -log p_j. Everything works on
tensors of fixed shape without reading a value back, so that a step can be captured as a CUDA graph.
"""

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

# Stands for log 0 in a transition matrix: exp() of it is exactly 0 in every precision, but unlike -inf it
# keeps the gradient finite for a label that the matrix calls impossible.
LOG_ZERO = -1e30


def full_precision(logits: Tensor) -> Tensor:
    """Return logits in float32 for narrower types; float64 stays float64."""
    return logits if logits.dtype == torch.float64 else logits.float()


def log_probabilities(logits: Tensor) -> Tensor:
    """Log-softmax of (B, L) logits, in full precision."""
    return log_softmax(full_precision(logits), dim=1)


def of_label(values: Tensor, labels: Tensor) -> Tensor:
    """Pick values[b, labels[b]]: values (B, L), labels int64 (B,) -> (B,)."""
    return values.gather(1, labels[:, None])[:, 0]


def smeared(log_p: Tensor, labels: Tensor, own: float, others: float) -> Tensor:
    """Return own * l(y) + others * sum_j l(j) per example, (B,): the smearing M = own I + others J."""
    return -(own * of_label(log_p, labels) + others * log_p.sum(dim=1))


def smoothed(log_p: Tensor, labels: Tensor, alpha: float) -> Tensor:
    """Return the smoothed loss (1 - alpha) l(y) + (alpha / L) sum_j l(j) per example, (B,)."""
    return smeared(log_p, labels, 1.0 - alpha, alpha / log_p.shape[1])


def weighted(log_p: Tensor, labels: Tensor, matrix: Tensor) -> Tensor:
    """Return sum_j M[y, j] l(j) per example, (B,), for any smearing matrix M (L, L)."""
    return -(matrix.to(log_p.dtype)[labels] * log_p).sum(dim=1)


def log_transition(transition: Tensor, dtype: torch.dtype) -> Tensor:
    """Return log T in `dtype` with LOG_ZERO for zero entries."""
    return transition.log().clamp(min=LOG_ZERO).to(dtype)


def corrected(log_p: Tensor, labels: Tensor, transition: Tensor) -> Tensor:
    """Return log (T^T p)_y per example, (B,), by log-sum-exp over the true classes; T >= 0, (L, L)."""
    return torch.logsumexp(log_transition(transition, log_p.dtype).T[labels] + log_p, dim=1)


def corrected_all(log_p: Tensor, transition: Tensor) -> Tensor:
    """Return log (T^T p)_j for every class, (B, L); needs memory for B * L * L numbers."""
    return torch.logsumexp(log_transition(transition, log_p.dtype).T[None] + log_p[:, None, :], dim=2)


def inverse(transition: Tensor) -> Tensor:
    """Return the inverse of T in float64, solved rather than approximated."""
    exact = transition.double()
    return torch.linalg.solve(exact, torch.eye(len(exact), dtype=exact.dtype, device=exact.device))
