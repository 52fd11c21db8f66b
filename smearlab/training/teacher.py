"""The teacher's loop: learn from (noisy) labels by a method."""

from collections.abc import Iterator

from smearlab.training.trainee import Trainee


def train_teacher(trainee: Trainee) -> Iterator[None]:
    """Train one network, from wherever it stands to the end, yielding after every step.

    At every yield the state of `trainee` is complete: whoever drives the loop may write it down and stop.
    """

    def step() -> None:
        images, labels, index = trainee.batches.next()
        with trainee.autocast():
            logits = trainee.network(images)
        loss = trainee.objective(logits.float(), labels, index, warming=trainee.warming)
        trainee.descend(loss.mean())

    while trainee.start_epoch():
        while trainee.in_epoch():
            trainee.lane.do(step, variant=trainee.warming)
            trainee.count_step()
            yield
        yield from trainee.finish_epoch()
