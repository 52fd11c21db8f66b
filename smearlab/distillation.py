"""What a student minimises: the loss of its label and the divergence from its teacher."""

from torch import Tensor

from smearlab.smearing import full_precision, log_probabilities


def distillation_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    label_loss: Tensor | None,
    *,
    temperature: float,
    beta: float,
    student_temperature: float | None = None,
) -> Tensor:
    """Return (1 - beta) label_loss + beta tau^2 KL(teacher at tau || student at tau) per example, (B,).

    Logits (B, L), label_loss (B,) or None for a student without labels, temperature tau > 0, beta in
    [0, 1]. No gradient reaches the teacher. `student_temperature` is tau unless given; the factor is its
    square, which undoes what dividing the student's logits does to their gradient, so that the setting of
    Müller et al. 2019 (student at 1, beta 1) is the plain KL. Source: Hinton et al. 2015, section 2.
    """
    tau = temperature if student_temperature is None else student_temperature
    teacher = log_probabilities(full_precision(teacher_logits.detach()) / temperature)
    student = log_probabilities(full_precision(student_logits) / tau)
    divergence = beta * tau**2 * (teacher.exp() * (teacher - student)).sum(dim=1)
    return divergence if label_loss is None else (1.0 - beta) * label_loss + divergence
