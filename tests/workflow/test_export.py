"""A trained network goes along as files that a process with torch and without smearlab predicts from."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from in_process import run_grid
from PIL import Image

from smearlab.cli.parser import main
from smearlab.store.files import read_json, write_sealed

CONTENT = {
    "name": "taken",
    "datasets": {"digits": {"kind": "digits", "subset": 120, "test_subset": 60}},
    "noises": {"symmetric": {"kind": "symmetric", "rates": [0.4]}},
    "recipes": {
        "small": {
            "architecture": {"name": "cnn", "width": 4},
            "epochs": 3,
            "batch_size": 32,
            "block_size": 2,
            "snapshots": 0,
            "checkpoint": "selected",
        },
        "residual": {
            "architecture": "resnet8",
            "epochs": 1,
            "batch_size": 32,
            "block_size": 2,
            "snapshots": 0,
            "students_only": True,
        },
    },
    "methods": ["cross_entropy", {"name": "forward", "transition": ["true", "estimated(confident_joint)"]}],
    "students": [{"teachers": ["cross_entropy"], "recipe": "residual", "temperatures": [4], "betas": [0.5]}],
    "keep": "weights",
}
PREDICT = """
import importlib.util, sys
import numpy as np
assert importlib.util.find_spec("smearlab") is None
import predict
logits = predict.logits(np.load("images.npy"))
np.save("predicted.npy", logits.argmax(dim=1).numpy())
import torch
program, images = torch.export.load("model.pt2").module(), torch.from_numpy(np.load("images.npy"))
with torch.no_grad():
    for n in (1, 5, len(logits)):
        torch.testing.assert_close(program(images[:n]), logits[:n], rtol=1e-4, atol=1e-4)
assert not [name for name in sys.modules if name.startswith("smearlab")]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A working folder with a computed grid."""
    folder = tmp_path_factory.mktemp("taken")
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("config.yaml").write_text(yaml.safe_dump(CONTENT), encoding="utf-8")
        run_grid(CONTENT)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def cells(part: str) -> list[Path]:
    return sorted(path.parent.parent for path in Path("results").glob(f"{part}/**/run.json"))


def run(bundle: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the bundle, with nothing of this checkout on its path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=bundle, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("part", ["teachers", "students"])
def test_the_bundle_predicts_what_was_stored_of_every_test_example(here, capsys, part: str) -> None:
    cell = cells(part)[-1]
    assert main(["export", str(cell), "--replicate", "1", "--out", f"out/{part}"]) == 0
    bundle = here / "out" / part
    test = np.load("results/data/" + cell.parts[2] + "/test.npz")
    np.save(bundle / "images.npy", test["images"])
    done = run(bundle, "-c", PREDICT)
    assert done.returncode == 0, done.stderr
    stored = np.load(cell / "paired-0" / "examples.npz")["test_predicted"][1]
    np.testing.assert_array_equal(np.load(bundle / "predicted.npy"), stored)
    model = read_json(bundle / "model.json")
    assert model["trained"]["seed"] == 1 and model["class_names"] == [str(k) for k in range(10)]
    assert model["measured"]["test_accuracy"] == pytest.approx(np.mean(stored == test["labels"]))


def test_one_picture_is_one_answer_and_a_wrong_array_one_line(here, capsys) -> None:
    main(["export", str(cells("teachers")[0]), "--out", "out/picture"])
    bundle = here / "out" / "picture"
    image = np.load("results/data/" + cells("teachers")[0].parts[2] + "/test.npz")["images"][0]
    Image.fromarray(image[..., 0]).save(bundle / "one.png")
    np.save(bundle / "one.npy", image)
    np.save(bundle / "wrong.npy", np.zeros((3, 9, 9), np.uint8))
    done = run(bundle, "predict.py", "one.png", "one.npy")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.replace("png", "npy") == second
    wrong = run(bundle, "predict.py", "wrong.npy")
    assert wrong.returncode == 1 and wrong.stderr == (
        "wrong.npy: uint8 (3, 9, 9, 1), but the network was trained on uint8 (N, 8, 8, 1)\n"
    )


def test_the_loss_of_a_cell_needs_no_weights_and_has_the_matrix_of_its_replicate(here, capsys) -> None:
    cell = next(cell for cell in cells("teachers") if cell.name == "forward-transition=true")
    assert main(["snippet", str(cell), "--out", "out/loss.py"]) == 0
    names: dict = {}
    exec(compile(Path("out/loss.py").read_text("utf-8"), "loss", "exec"), names)
    audit = read_json("/".join(("results/labels", *cell.parts[2:5], "seed=0", "audit.json")))
    assert names["T"].tolist() == audit["transition_asked"]
    capsys.readouterr()
    assert main(["snippet", "taken"]) == 0
    chosen: dict = {}
    exec(compile(capsys.readouterr().out, "chosen", "exec"), chosen)
    assert chosen["criterion"](torch.zeros(2, 10), torch.tensor([0, 1])).item() == pytest.approx(np.log(10), abs=0.5)


def test_cleaned_labels_stand_beside_those_given_with_what_is_known_of_both(here, capsys) -> None:
    assert main(["labels", "taken", "--out", "out/labels"]) == 0
    lines = capsys.readouterr().out.splitlines()
    paths = sorted(Path("out/labels").iterdir())
    assert len(lines) == len(paths) == 2 and all("known labels are wrong" in line for line in lines)
    data = np.load("results/data/" + cells("teachers")[0].parts[2] + "/training.npz")
    train = data["part"] == 0
    for seed, path in enumerate(paths):
        table = pd.read_csv(path)
        observed = np.load("/".join(("results/labels", *cells("teachers")[0].parts[2:5], f"seed={seed}", "labels.npz")))
        np.testing.assert_array_equal(table["label"], observed["observed"][train])
        np.testing.assert_array_equal(table["example"], data["source_index"][train])
        kept = table["doubted"] == 0
        assert (table["cleaned_label"] == table["label"])[kept].all() and table["weight"].between(0, 1).all()
        assert (table["cleaned_label"] == table["predicted"])[~kept].all()


def test_the_statistics_are_those_of_the_training_part(here) -> None:
    main(["export", str(cells("teachers")[0]), "--out", "out/statistics"])
    said = read_json("out/statistics/model.json")["normalisation"]
    data = np.load("results/data/" + cells("teachers")[0].parts[2] + "/training.npz")
    pixels = data["images"][data["part"] == 0].astype(float)
    assert said["mean"] == pytest.approx([pixels.mean()]) and said["deviation"] == pytest.approx([pixels.std()])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{cell}", "--replicate", "2"], "no replicate 2; it has 2, 0 to 1"),
        (["{cell}", "--replicate", "-1"], "no replicate -1; it has 2, 0 to 1"),
        (["{cell}x"], "no cell of any config; near: teachers/"),
        (["results/taken"], "no cell of any config"),
    ],
)
def test_what_cannot_be_exported_is_one_line(here, capsys, arguments: list[str], said: str) -> None:
    cell = str(cells("teachers")[0])
    assert main(["export", *(text.format(cell=cell) for text in arguments)]) == 1
    printed = capsys.readouterr()
    assert said in printed.err and printed.err.count("\n") == 1 and printed.out == ""


def test_weights_that_are_not_there_and_networks_that_diverged_are_one_line(here, capsys) -> None:
    block = cells("teachers")[1] / "paired-0"
    weights, run_ = block / "weights.safetensors", block / "run.json"
    weights.rename(weights.with_suffix(".away"))
    assert main(["export", str(block)]) == 1
    assert "is missing; python -m smearlab repair taken makes it anew" in capsys.readouterr().err
    content = yaml.safe_dump({**CONTENT, "keep": "none"})
    Path("config.yaml").write_text(content, encoding="utf-8")
    assert main(["export", str(block)]) == 1
    assert "not kept (`keep: none`)" in capsys.readouterr().err
    Path("config.yaml").write_text(yaml.safe_dump(CONTENT), encoding="utf-8")
    weights.with_suffix(".away").rename(weights)
    whole = run_.read_bytes()
    account = json.loads(whole)
    account["replicates"][1] |= {"status": "diverged", "reason": "loss is not finite"}
    del account["checksum"], account["file"]
    write_sealed(run_, account)
    assert main(["export", str(block), "--replicate", "1"]) == 1
    assert "its replicate 1 diverged (loss is not finite)" in capsys.readouterr().err
    run_.write_bytes(whole)
    run_.rename(run_.with_suffix(".away"))
    assert main(["export", str(block)]) == 1
    assert "not trained yet; run taken first" in capsys.readouterr().err
    run_.with_suffix(".away").rename(run_)
