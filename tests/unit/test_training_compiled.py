"""Compiled training: eager training within rounding, the same bytes after a stop; refused where it cannot be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_training_stacked import StopAfter, weights
from tiny_training import job, method, outcome, recipe, train

from smearlab.core.errors import UserError
from smearlab.host import compiler
from smearlab.training import block as blocks
from smearlab.training import forward
from smearlab.training.block import Interrupted

EPOCHS, STEPS = 2, 3  # of the tiny problem
TINY = {"epochs": EPOCHS, "architecture": {"name": "cnn", "width": 2}, "snapshots": 0}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which compiled code is kept, as it is in a checkout."""
    return tmp_path_factory.mktemp("checkout")


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TORCHINDUCTOR_COMPILE_THREADS"):
        monkeypatch.setenv(name, "1")  # put back afterwards


def trained(folder: Path, name: str, **changes: Any) -> Path:
    own = folder / name
    own.mkdir(exist_ok=True)
    train(job(**changes), own)
    return own


def apart(one: Path, other: Path) -> float:
    """Return the distance of all weights of two trainings, relative to their norm."""
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    both = [(a[name].double(), b[name].double()) for name in a]
    return float((sum((x - y).square().sum() for x, y in both) / sum(x.square().sum() for x, _ in both)) ** 0.5)


@pytest.mark.skipif(compiler.missing("cpu") is not None, reason="no C++ compiler here")
@pytest.mark.parametrize("stacked", [False, True])
def test_compiled_training_is_eager_training_and_a_stop_leaves_no_trace(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, stacked: bool
) -> None:
    """In fp32 with two passes a step and mixed images; stacked in bf16, as near to fp32 as eager training is."""
    from torch._dynamo.utils import counters  # seconds, which no other test pays

    further = {"stacked": True, "precision": "bf16"} if stacked else {"sam_radius": 0.05, "mixup": 0.3}
    eager = {"recipe": recipe(**TINY, **further), "method": method("elr")}
    compiled = eager | {"recipe": replace(eager["recipe"], compile=True)}
    passes, given = 0, forward.compiled_pass

    def counted() -> Any:
        nonlocal passes
        passes += 1
        return given()

    monkeypatch.setattr(forward, "compiled_pass", counted)
    graphs = counters["stats"]["unique_graphs"]
    whole = trained(tmp_path, "whole", **compiled)
    assert counters["stats"]["unique_graphs"] == graphs + 1  # replicates share what is compiled
    assert passes == EPOCHS * STEPS * (1 if stacked else 2 * 2)
    near = trained(tmp_path, "eager", **eager)
    if stacked:
        exact = trained(tmp_path, "exact", **eager | {"recipe": replace(eager["recipe"], precision="fp32")})
        assert 0 < apart(whole, exact) < 2 * apart(near, exact)
    else:
        assert 0 < apart(whole, near) < 1e-4
    with monkeypatch.context() as halfway:
        halfway.setattr(blocks, "stop_signals", lambda: StopAfter(5))
        with pytest.raises(Interrupted):
            trained(tmp_path, "stopped", **compiled)
    assert outcome(trained(tmp_path, "stopped", **compiled)) == outcome(whole)
    assert list((place / compiler.KEPT).iterdir())


@pytest.mark.parametrize(
    "device, lacking, words",
    [
        ("cpu", "compiler", r"needs a C\+\+ compiler \(g\+\+, or what CXX names\) on cpu"),
        ("cpu", "named compiler", r"needs a C\+\+ compiler \(nowhere/g\+\+, or what CXX names\) on cpu"),
        ("cpu", "headers", r"needs Python's headers \(No\.h\) on cpu"),
        ("cuda", "triton", r"needs Triton, which CUDA builds of torch bring along, on cuda"),
        ("cuda", "compiler", r"needs a C compiler \(gcc or clang, or what CC names\) on cuda"),
    ],
)
def test_what_cannot_be_compiled_here_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, device: str, lacking: str, words: str
) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda name: None if lacking == "triton" else name)
    monkeypatch.delenv("CXX", raising=False), monkeypatch.delenv("CC", raising=False)
    if lacking == "named compiler":
        monkeypatch.setenv("CXX", "nowhere/g++ -O1")
    if lacking == "headers":
        monkeypatch.setattr(compiler.shutil, "which", lambda name: name)
        monkeypatch.setattr(compiler, "HEADER", "No.h")
    if lacking == "compiler":
        monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=rf"^recipe: compile: true {words}; install it, or leave `compile` out$"):
        compiler.prepare(device, print)


def test_a_job_that_cannot_compile_ends_before_it_reads_its_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "missing", lambda device: "a compiler")
    monkeypatch.setattr(blocks, "make_problem", lambda *given: pytest.fail("it has begun"))
    with pytest.raises(UserError, match="needs a compiler on cpu"):
        trained(tmp_path, "refused", recipe=recipe(**TINY, compile=True))
