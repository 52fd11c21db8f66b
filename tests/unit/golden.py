"""Jobs as lines of text, to compare with those that 0.1.0 gave the shipped configs (tests/golden/jobs-0.1.0.txt)."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CODE = ("code", "expected_code", "page", "labels", "order")  # what stands for code, or for words on the page


def line(job: Any, decided: dict[str, Any]) -> str:
    """Return rule, name and a hash of all files and of all that decides the result, code apart."""
    files = [sorted(getattr(job, kind)) for kind in ("outputs", "inputs", "ancient", "transient")]
    values = {key: value for key, value in decided.items() if key not in CODE}
    text = repr([files, job.log, job.benchmark, values])
    return f"{job.rule} {job.name} {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def lines(jobs: Iterable[Any]) -> list[str]:
    """Return the lines of all jobs of a grid, sorted."""
    return sorted(line(job, job.decide()) for job in jobs)


def supply(folder: Path) -> None:
    """Put something of everything that a user brings into a folder: the shipped configs name it."""
    (folder / "data").mkdir()
    (folder / "data" / "CIFAR-10_human.pt").write_bytes(b"not read before the grid runs")
    images = np.zeros((40, 8, 8), np.uint8)
    np.savez(folder / "data" / "own.npz", images=images, noisy_labels=np.arange(40) % 4)
    for part, kind in [(p, k) for p in ("train", "test") for k in ("cat", "dog")]:
        place = folder / "data" / "imagenet" / part / kind
        place.mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(place / "one.png")
