"""Labels that are not those of the images, from the user's files to the terminal, the audit and the top of the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from in_process import run_grid, run_stage
from PIL import Image
from sklearn.datasets import load_digits

from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES

N = 240
NAMES = ["nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ORDER = np.argsort(np.random.default_rng(0).random(N))


@pytest.fixture(autouse=True)
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Write digits as own.npz and as pictures below own/; return the labels in the order of own.npz."""
    monkeypatch.chdir(tmp_path)
    bunch = load_digits()
    images, labels = (bunch.images[:N] * 15.9).astype(np.uint8), bunch.target[:N].astype(np.int64)
    np.savez("own.npz", images=images, labels=labels, noisy_labels=labels[ORDER])
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path(picture(i, int(label)))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return labels


def picture(i: int, label: int) -> str:
    return f"own/train/{NAMES[label]}/{i}.png"


def content(data: dict[str, Any], noise: dict[str, Any]) -> dict[str, Any]:
    recipe = {"architecture": {"name": "cnn", "width": 4}, "epochs": 1, "batch_size": 16, "block_size": 1}
    return {
        "name": "doubts",
        "datasets": {"own": data},
        "noises": {"given": noise},
        "recipes": {"tiny": recipe},
        "methods": [{"name": "cross_entropy"}, {"name": "label_smoothing", "alphas": [0.1]}],
    }


def label_audit(given: dict[str, Any]) -> dict[str, Any]:
    """Make data set and labels as the workflow does, and return the audit."""
    grid = load_grid(given)
    for stage in ("make_dataset", "make_labels"):
        for subject in STAGES[stage].subjects(grid):
            run_stage(STAGES[stage], subject, given)
    (path,) = Path("results/labels").rglob("audit.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_shuffled_labels_are_said_on_the_terminal_in_the_audit_and_at_the_top_of_the_page(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run_grid(content({"kind": "arrays", "path": "own.npz"}, {"kind": "labels"}))
    (audit,) = [json.loads(p.read_text("utf-8")) for p in Path("results/labels").rglob("audit.json")]
    (doubt,) = audit["doubts"]
    assert "likely cause: the rows are in another order than the data" in doubt
    assert doubt in capfd.readouterr().err
    page = Path("reports/doubts.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert f"Look at the labels first: noise given of data set own: {doubt}." in page
    assert page.index("Look at the labels first") < page.index("answer-head")


def test_paths_align_the_rows_of_a_folder(digits: np.ndarray) -> None:
    given = np.where(np.random.default_rng(1).random(N) < 0.3, (digits + 1) % 10, digits)
    rows = [f"{picture(i, int(digits[i]))},{NAMES[given[i]]}" for i in ORDER]
    Path("human.csv").write_text("\n".join(["path,label", *rows]) + "\n", encoding="utf-8")
    audit = label_audit(content({"kind": "folder", "path": "own"}, {"kind": "human", "path": "human.csv"}))
    assert "doubts" not in audit
    train_and_validation = audit["n_wrong"], audit["realised_noise_rate"]
    assert train_and_validation[1] == pytest.approx((given != digits).mean(), abs=0.05)


def test_rows_that_nothing_aligns_are_refused(digits: np.ndarray) -> None:
    np.save("short.npy", digits[:-40])
    np.save("long.npy", np.r_[digits[ORDER], digits])
    for name, message in (("short.npy", "200 labels; the data has 240"), ("long.npy", "480 labels; the data has 240")):
        with pytest.raises(UserError, match=message):
            label_audit(content({"kind": "arrays", "path": "own.npz"}, {"kind": "human", "path": name}))
