"""The teacher's loop: learn from (noisy) labels by a method."""

from collections.abc import Iterator

from smearlab.training.replicate import Replicate


def train_teacher(run: Replicate) -> Iterator[None]:
    """Train one network, from wherever it stands to the end, yielding after every step.

    At every yield the state of `run` is complete: whoever drives the loop may write it down and stop.
    """

    def step() -> None:
        images, labels, index = run.batches.next()
        with run.autocast():
            logits = run.network(images)
        loss = run.objective(logits.float(), labels, index, warming=run.warming)
        run.descend(loss.mean())

    while run.start_epoch():
        while run.in_epoch():
            run.lane.do(step, variant=run.warming)
            run.count_step()
            yield
        yield from run.finish_epoch()
