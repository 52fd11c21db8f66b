"""Every recipe of docs/own-data.md, run as it stands there on a made copy of the layout it speaks of."""

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from in_process import run_stage
from PIL import Image
from safetensors.torch import load_file
from torchvision.models import resnet18

from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES

PAGE = (Path(__file__).parents[2] / "docs" / "own-data.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
IDS = [f"n0{2102040 + 7 * i}" for i in range(4)]


def image(path: str, mode: str = "RGB") -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(zlib.crc32(path.encode())).integers(0, 256, (20, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def lines(path: str, content: list[str]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


def cifar_n() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 10
    images = rng.integers(0, 256, (400, 8, 8, 3), dtype=np.uint8)
    np.savez("data/cifar10.npz", images=images, labels=labels, split=["train"] * 300 + ["test"] * 100)
    columns = {"clean_label": labels[:300]}
    for name, rate in (("worse_label", 0.4), ("aggre_label", 0.09)):
        columns[name] = np.where(rng.random(300) < rate, (labels[:300] + 1) % 10, labels[:300])
    torch.save(columns, "data/CIFAR-10_human.pt")


def clothing1m() -> None:
    root = "data/clothing1m"
    lines(f"{root}/category_names_eng.txt", [*(f"Class{i}" for i in range(12)), "Down Coat", "Vest"])
    keys = [f"images/{i % 10}/{i:02}/{i},{i}.jpg" for i in range(14 * 6)]
    for key in keys:
        image(f"{root}/{key}")
    pairs = [f"{key} {i % 14}" for i, key in enumerate(keys)]
    lines(f"{root}/noisy_label_kv.txt", pairs[:56])
    lines(f"{root}/clean_label_kv.txt", pairs[42:])
    for name, part in (("noisy_train", keys[:56]), ("clean_val", keys[56:70]), ("clean_test", keys[70:])):
        lines(f"{root}/{name}_key_list.txt", part)


def webvision() -> None:
    root = "data/webvision"
    train = [f"google/q{i % 60:04}/{i}.jpg {i % 60}" for i in range(180)]
    val = [f"val{i:06}.jpg {i % 60}" for i in range(60)]
    lines(f"{root}/info/train_filelist_google.txt", train)
    lines(f"{root}/info/val_filelist.txt", val)
    for line in train:
        image(f"{root}/{line.split()[0]}")
    for line in val:
        image(f"{root}/val_images_256/{line.split()[0]}", "L")


def animal10n() -> None:
    for part, n in (("training", 40), ("testing", 20)):
        for i in range(n):
            image(f"data/animal10n/{part}/{i % 10}_{i:05}.jpg")


def food101n() -> None:
    root, classes = "data/food101n", ["apple_pie", "baklava", "waffles"]
    names = [f"{classes[i % 3]}/{i:032x}.jpg" for i in range(24)]
    lines(f"{root}/Food-101N_release/meta/imagelist.tsv", ["class_name/key", *names])
    lines(f"{root}/food-101/meta/test.txt", [f"{classes[i % 3]}/{i}" for i in range(9)])
    for name in names:
        image(f"{root}/Food-101N_release/images/{name}")
    for i in range(9):
        image(f"{root}/food-101/images/{classes[i % 3]}/{i}.jpg")


def imagenette() -> None:
    root, rows = "data/imagenette2-160", []
    for part, n in (("train", 40), ("val", 12)):
        for i in range(n):
            clean, name = IDS[i % 4], f"{part}/{IDS[i % 4]}/{IDS[i % 4]}_{i}.JPEG"
            image(f"{root}/{name}")
            noisy = IDS[(i + 1) % 4] if part == "train" and i % 5 == 0 else clean
            rows.append(f"{name},{clean},{clean},{clean},{noisy},{noisy},{part == 'val'}")
    levels = ",".join(f"noisy_labels_{level}" for level in (0, 1, 5, 25, 50))
    lines(f"{root}/noisy_imagenette.csv", [f"path,{levels},is_valid", *rows])


def own_folders() -> None:
    names = [f"{part}/{c}/{c}{i}.png" for part in ("train", "val") for c in ("ant", "bee") for i in range(10)]
    for name in names:
        image(f"data/own/{name}")
    rows = [f"{name},{'bee' if name.endswith('3.png') else name.split('/')[1]}" for name in names]
    lines("data/own_labels.csv", ["path,label", *rows])
    lines("data/second.csv", ["path,label", *reversed(rows)])


def table() -> None:
    kinds = ["ash", "beech", "oak"]
    rows = [f"{i},{i % 7 / 3},{i * 100},{kinds[i % 3]},{kinds[(i + (i % 5 == 0)) % 3]}" for i in range(90)]
    lines("data/mine.csv", ["id,width,height,species,noted", *rows])


LAYOUTS: dict[str, tuple[Callable[[], None], float | None]] = {  # what makes it, and the share of wrong labels
    "CIFAR-N": (cifar_n, 0.4),
    "Clothing1M": (clothing1m, None),
    "WebVision": (webvision, None),
    "ANIMAL-10N": (animal10n, None),
    "Food-101N": (food101n, None),
    "Imagenette with noisy labels": (imagenette, 0.2),
    "Features and tables": (table, 0.2),
    "Own folders": (own_folders, 0.05),
    "Own arrays": (lambda: None, 0.15),
}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def audits(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Make data sets and labels as the workflow does, and return the audits of the given labels."""
    grid = load_grid(given)
    for rule in ("make_dataset", "make_labels"):
        for subject in STAGES[rule].subjects(grid):
            run_stage(STAGES[rule], subject, given)
    return [json.loads(path.read_text("utf-8")) for path in sorted(Path("results/labels").rglob("audit.json"))]


NO_RECIPE = {  # for labels; that of "Pretrained networks" is for a network, and tried below
    "How a label file is read",
    "A gold set: some true labels",
    "Which labels are wrong",
    "More images than memory",
    "Pretrained networks",
}


def test_every_recipe_of_the_page_is_tried() -> None:
    assert set(LAYOUTS) == set(SECTIONS) - NO_RECIPE


@pytest.mark.parametrize("section", LAYOUTS)
def test_a_recipe_gives_the_labels_of_its_layout(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    make, rate = LAYOUTS[section]
    make()
    for code in blocks(section, "python"):
        exec(compile(code, section, "exec"), {})
    (text,) = blocks(section, "yaml")
    recipe = {"architecture": {"name": "cnn", "width": 4}, "epochs": 1, "batch_size": 16, "block_size": 1}
    rest = {"name": "own", "recipes": {"tiny": recipe}, "methods": [{"name": "cross_entropy"}]}
    found = audits({**rest, **yaml.safe_load(text)})
    rates = [audit["realised_noise_rate"] for audit in found]
    assert not any("doubts" in audit for audit in found)
    if rate is None:
        assert rates == [None] * len(found)
    else:
        assert max(rates) == pytest.approx(rate, abs=0.08)
    (data,) = Path("results/data").iterdir()
    assert all(json.loads((data / name).read_text("utf-8"))["n"] > 0 for name in ("training.json", "test.json"))


SMALLER = {"resnet50": "resnet18", "input_size: 224": "input_size: 32", "epochs: 5": "epochs: 1"}


def test_the_recipe_of_pretrained_networks_trains_one_from_the_weights_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, but of a network and images that are small; with a body that is frozen the file's weights stay."""
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        weights = resnet18(weights=None).state_dict()
    Path("weights").mkdir()
    torch.save(weights, "weights/resnet18.pth")
    rng = np.random.default_rng(0)
    np.savez("own.npz", images=rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8), labels=np.arange(40) % 2)
    (text,) = blocks("Pretrained networks", "yaml")
    for large, small in SMALLER.items():
        assert large in text
        text = text.replace(large, small)
    given = {
        "name": "own",
        "datasets": {"own": {"kind": "arrays", "path": "own.npz"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "methods": ["cross_entropy"],
        **yaml.safe_load(text),
    }
    frozen = {**given["recipes"]["tuned"], "snapshots": 0, "block_size": 1}
    frozen["architecture"] = {**frozen["architecture"], "body_rate": 0}
    given["recipes"] = {"tuned": {**given["recipes"]["tuned"], "snapshots": 0, "block_size": 1}, "frozen": frozen}
    grid = load_grid(given)
    for rule in ("make_dataset", "make_labels", "train_teacher"):
        for subject in STAGES[rule].subjects(grid):
            run_stage(STAGES[rule], subject, given)
    for cell in grid.cells.values():
        (file,) = Path("results", cell.key).rglob("weights.safetensors")
        kept = [tensor for name, tensor in load_file(file).items() if name.endswith("body.conv1.weight")]
        assert kept and all(torch.equal(w, weights["conv1.weight"]) == (cell.recipe.name == "frozen") for w in kept)
