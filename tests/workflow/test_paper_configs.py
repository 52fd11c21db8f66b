"""The papers' settings, shortened: each config runs to the page, on generated images in its format."""

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.datasets
from in_process import run_grid
from PIL import Image

from smearlab.grid.load import read_config

ROOT = Path(__file__).parents[2]
SHORT = {"batch_size": 8, "block_size": 1, "snapshots": 1, "estimate": {"folds": 2, "length": 1.0}}
N, N_TEST = 48, 12


def images(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def cifar10(_: pytest.MonkeyPatch) -> None:
    """data/cifar10.npz, and the human labels of its training part as they are published."""
    labels, split = np.arange(N + N_TEST) % 10, ["train"] * N + ["test"] * N_TEST
    np.savez("data/cifar10.npz", images=images(N + N_TEST, 0), labels=labels, split=split)
    careless = np.where(np.arange(N) % 3 == 0, (labels[:N] + 1) % 10, labels[:N])
    columns = ("worse_label", "aggre_label", "random_label1")
    torch.save({"clean_label": labels[:N], **dict.fromkeys(columns, careless)}, "data/CIFAR-10_human.pt")


def cifar100(patch: pytest.MonkeyPatch) -> None:
    """CIFAR-100's archive: two pickled batches, the pixels of a colour after those of another."""
    published, parts = torchvision.datasets.CIFAR100, {}
    for name, n, seed in (("train", 200, 1), ("test", N_TEST, 2)):
        rows = images(n, seed).transpose(0, 3, 1, 2).reshape(n, -1)
        parts[name] = pickle.dumps({"data": rows, "fine_labels": (np.arange(n) % 100).tolist()}, protocol=2)
        digest = hashlib.md5(parts[name], usedforsecurity=False).hexdigest()
        patch.setattr(published, f"{name}_list", [[name, digest]])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"{published.base_folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    patch.setattr(published, "tgz_md5", hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest())
    Path("data", published.filename).write_bytes(packed.getvalue())


def folders(_: pytest.MonkeyPatch) -> None:
    """data/imagenet with two classes of small pictures."""
    for part, n in (("train", 30), ("test", 4)):
        for name, pixels in zip(("cat", "dog"), np.split(images(2 * n, n), 2), strict=True):
            folder = Path("data/imagenet", part, name)
            folder.mkdir(parents=True)
            for k, picture in enumerate(pixels):
                Image.fromarray(picture).save(folder / f"{k}.png")


def shortened(content: dict[str, Any]) -> dict[str, Any]:
    """The config with a few steps of small batches, narrow networks, few strengths and rates."""
    for recipe in content["recipes"].values():
        del recipe["steps" if "steps" in recipe else "epochs"]
        name = recipe["architecture"] if isinstance(recipe["architecture"], str) else recipe["architecture"]["name"]
        narrow = {"resnet34": {"name": "resnet8"}, "resnet50": "resnet50"}.get(name, {"name": name, "width": 4})
        recipe |= {**SHORT, "steps": 4, "architecture": narrow}
    for dataset in content["datasets"].values():
        dataset |= {"size": 32} if dataset["kind"] == "folder" else {}
    for entry in content["methods"]:
        entry |= {"alphas": [a for a in entry["alphas"] if a in (-2.0, 0.1)]} if "alphas" in entry else {}
    for noise in content["noises"].values():
        noise |= {"rates": noise["rates"][:2]} if "rates" in noise else {}
    for group in content.get("students", []):
        group["temperatures"] = group["temperatures"][-1:]
    return content | {"replicates": {"blocks": 1}}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("paper-cifar10", cifar10),
        ("paper-cifar10-headline", cifar10),
        ("cifar10-near-paper-cpu", cifar10),
        ("paper-cifar100", cifar100),
        ("paper-imagenet", folders),
        ("cifar-n", cifar10),
    ],
)
def test_a_shortened_run_ends_with_the_page(
    name: str, write: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    write(monkeypatch)
    content = shortened(read_config(ROOT / "configs" / f"{name}.yaml"))
    tables = run_grid(content)
    metrics = tables.metrics
    assert set(metrics["cell"]) == {cell["cell"] for cell in tables.context["cells"]}
    hopeless = metrics["method"].eq("backward") & metrics["transition"].str.startswith("estimated(")
    assert set(metrics[~hopeless]["status"]) == {"finished"}  # so few examples give an all but singular T
    assert set(metrics["recipe"]) == set(content["recipes"])
    assert set(metrics["noise"]) == set(content["noises"])
    assert metrics["test_accuracy"].dropna().between(0, 1).all()
    page = Path("reports", f"{content['name']}.html").read_text(encoding="utf-8")
    assert content["title"].replace("'", "&#39;") in page
