"""What a CUDA lane does with a step: eager first, recorded once, replayed ever after; with a pretended device."""

import contextlib
from collections.abc import Iterator

import pytest
import torch

from smearlab.training import lanes
from smearlab.training.lanes import EAGER_STEPS, CudaLane, Lane, lanes_at_once, make_lane


class Device:
    """Stands in for torch.cuda: counts what is recorded and replayed, and can refuse to record."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, refuses: Exception | None = None) -> None:
        self.refuses, self.recorded, self.replayed = refuses, 0, 0
        monkeypatch.setattr(torch.cuda, "Stream", lambda device: self)
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: self)
        monkeypatch.setattr(torch.cuda, "graph", self.graph)

    @contextlib.contextmanager
    def graph(self, graph: "Device", stream: "Device") -> Iterator[None]:
        if self.refuses:
            raise self.refuses
        self.recorded += 1
        yield

    def replay(self) -> None:
        self.replayed += 1


def test_steps_are_eager_then_recorded_once_a_variant_then_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    device, ran = Device(monkeypatch), []
    lane = CudaLane(torch.device("cuda"), print)
    for _ in range(10):
        lane.do(lambda: ran.append("warm"), variant=True)
    assert (len(ran), device.recorded, device.replayed) == (EAGER_STEPS + 1, 1, 10 - EAGER_STEPS)
    for _ in range(10):
        lane.do(lambda: ran.append("full"), variant=False)
    assert (ran.count("full"), device.recorded, device.replayed) == (EAGER_STEPS + 1, 2, 2 * (10 - EAGER_STEPS))


def test_a_step_that_cannot_be_recorded_stays_eager_and_the_log_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch, refuses=RuntimeError("operation not permitted when stream is capturing\nmore"))
    lines: list[str] = []
    ran: list[int] = []
    lane = CudaLane(torch.device("cuda"), lines.append)
    for k in range(10):
        lane.do(lambda k=k: ran.append(k), variant=False)
    assert ran == list(range(10))
    assert device.replayed == 0
    assert len(lines) == 1
    assert "runs eagerly (operation not permitted when stream is capturing)" in lines[0]


def test_running_out_of_memory_is_not_mistaken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    Device(monkeypatch, refuses=torch.OutOfMemoryError("no"))
    lane = CudaLane(torch.device("cuda"), print)
    with pytest.raises(torch.OutOfMemoryError):
        for _ in range(10):
            lane.do(lambda: None, variant=False)


def test_recording_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch)
    monkeypatch.setenv("SMEARLAB_CUDA_GRAPHS", "0")
    lane = CudaLane(torch.device("cuda"), print)
    for _ in range(10):
        lane.do(lambda: None, variant=False)
    assert device.recorded == 0


def test_how_many_train_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMEARLAB_LANES", raising=False)
    assert lanes_at_once(torch.device("cpu"), 5) == 1
    assert lanes_at_once(torch.device("cuda"), 5) == 5
    monkeypatch.setenv("SMEARLAB_LANES", "2")
    assert [lanes_at_once(torch.device("cuda"), n) for n in (1, 5)] == [1, 2]
    assert type(make_lane(torch.device("cpu"), print)) is Lane
    assert lanes.EAGER_STEPS > 0
