"""The student's loss against an independent formula, its limits, and its gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from smearlab.distillation import distillation_loss


def pair(n=7, n_classes=6, seed=0):
    rng = np.random.default_rng(seed)
    student = torch.tensor(rng.normal(size=(n, n_classes)) * 3, requires_grad=True)
    return student, torch.tensor(rng.normal(size=(n, n_classes)) * 3), torch.tensor(rng.random(n))


def kl(teacher, student, tau_teacher, tau_student):
    t = log_softmax(teacher.detach().numpy() / tau_teacher, axis=1)
    s = log_softmax(student.detach().numpy() / tau_student, axis=1)
    return (np.exp(t) * (t - s)).sum(axis=1)


@given(st.floats(0.5, 20), st.floats(0, 1))
def test_loss_is_the_stated_formula(temperature, beta):
    student, teacher, label_loss = pair()
    found = distillation_loss(student, teacher, label_loss, temperature=temperature, beta=beta)
    divergence = kl(teacher, student, temperature, temperature)
    expected = (1 - beta) * label_loss.numpy() + beta * temperature**2 * divergence
    assert np.allclose(found.detach(), expected, rtol=1e-9, atol=1e-12)


def test_loss_is_torchs_kl_divergence():
    student, teacher, _ = pair()
    theirs = torch.nn.functional.kl_div(
        torch.log_softmax(student / 4, 1),
        torch.log_softmax(teacher / 4, 1),
        reduction="none",
        log_target=True,
    ).sum(dim=1)
    ours = distillation_loss(student, teacher, None, temperature=4.0, beta=1.0)
    assert torch.allclose(ours, 16 * theirs, rtol=1e-12)


def test_beta_zero_is_the_label_alone_and_a_copy_of_the_teacher_has_no_divergence():
    student, teacher, label_loss = pair()
    assert torch.equal(distillation_loss(student, teacher, label_loss, temperature=2.0, beta=0.0), label_loss)
    copy = distillation_loss(teacher, teacher, None, temperature=2.0, beta=1.0)
    assert torch.equal(copy, torch.zeros_like(copy))


def test_muellers_student_at_temperature_one_is_the_plain_divergence():
    student, teacher, _ = pair()
    found = distillation_loss(student, teacher, None, temperature=3.0, beta=1.0, student_temperature=1.0)
    assert np.allclose(found.detach(), kl(teacher, student, 3.0, 1.0), rtol=1e-12)


def test_gradient_is_scaled_difference_of_softened_probabilities_and_none_reaches_the_teacher():
    student, teacher, _ = pair()
    teacher.requires_grad_()
    distillation_loss(student, teacher, None, temperature=4.0, beta=0.5).sum().backward()
    difference = torch.softmax(student / 4, 1) - torch.softmax(teacher / 4, 1)
    assert torch.allclose(student.grad, 0.5 * 4 * difference, rtol=1e-10, atol=1e-12)
    assert teacher.grad is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_logits_are_divided_in_float32(dtype):
    student, teacher, _ = (t.detach().to(dtype) for t in pair())
    found = distillation_loss(student, teacher, None, temperature=3.0, beta=1.0)
    wide = distillation_loss(student.float(), teacher.float(), None, temperature=3.0, beta=1.0)
    assert found.dtype == torch.float32
    assert torch.equal(found, wide)


def test_extreme_logits_stay_finite():
    student = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = distillation_loss(student, -student.detach(), None, temperature=1.0, beta=1.0)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert student.grad.isfinite().all()
