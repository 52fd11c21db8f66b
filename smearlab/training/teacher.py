"""The teacher's loop: learn from (noisy) labels by a method."""

from collections.abc import Iterator

from torch import Tensor

from smearlab.training.trainee import Trainee


def train_teacher(trainee: Trainee) -> Iterator[None]:
    """Train one network, from wherever it stands to the end, yielding after every step.

    At every yield the state of `trainee` is complete: whoever drives the loop may write it down and stop.
    """

    def step() -> None:
        batch = trainee.next_batch()

        def loss() -> Tensor:
            return trainee.label_loss(trainee.forward(batch.images), batch)

        trainee.descend(loss)

    while trainee.start_epoch():
        while trainee.in_epoch():
            trainee.lane.do(step, variant=trainee.warming)
            trainee.count_step()
            yield
        yield from trainee.finish_epoch()
