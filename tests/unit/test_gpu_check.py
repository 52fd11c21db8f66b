"""The check of a GPU, without one: what it measures an evaluation on, and that a miss, or no time left, fails."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.gpu import BUDGET, Table, held, out_of_time
from benchmarks.throughput import our_loop, usual_loop


def test_an_evaluation_sees_a_tenth_as_validation_and_a_fifth_as_test() -> None:
    images = SimpleNamespace(images=np.zeros((50, 8, 8, 3), np.uint8), labels=np.arange(50) % 10)
    training, test = held(images)
    assert np.bincount(training.part).tolist() == [45, 5]
    assert len(test.images) == len(test.labels) == 10


def test_one_claim_that_does_not_hold_fails_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    table.say("speed", "12 images/s")
    table.say("bytes", "0", True)
    assert table.good
    table.say("stops", "0.1", False)
    table.say("bytes", "0", True)
    assert not table.good and capsys.readouterr().out.count("MISS") == 1


def test_a_run_that_takes_too_long_ends_and_fails() -> None:
    with pytest.raises(SystemExit) as end:
        out_of_time(14, None)
    assert end.value.code == f"MISS: not done within {BUDGET} s"


@pytest.mark.parametrize("loop", [usual_loop, our_loop])
def test_both_loops_that_are_compared_take_a_step(loop, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)
    few = SimpleNamespace(images=images, labels=np.arange(16) % 10, part=np.zeros(16, np.uint8))
    monkeypatch.setattr("benchmarks.throughput.training_data", lambda: few)
    threads = torch.get_num_threads()
    running = loop({"network": "cnn", "batch_size": 8, "device": "cpu", "threads": 1, "lanes": 1, "precision": "fp32"})
    next(running)
    running.close()
    torch.set_num_threads(threads)
