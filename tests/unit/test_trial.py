"""`check` reads what a run would read: what that refuses is told before anything runs, a line each, once."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from configs import config
from smearlab.cli.parser import main
from smearlab.core import registry
from smearlab.datasets import cifar10

N, L = 60, 3
LABELS = np.arange(N) % L
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 8, 8), dtype=np.uint8)
SPLIT = np.where(np.arange(N) < 45, "train", "test")
OWN = {"images": IMAGES, "labels": LABELS}


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def check(capsys, datasets, noises=None, *further):
    """Return exit code, what is said and what is refused, in lines."""
    changes = [("datasets", datasets), ("students", []), ("methods", [{"name": "cross_entropy"}]), *further]
    content = config(*changes, *([("noises", noises)] if noises else []))
    Path("config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    code = main(["check", "config.yaml"])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.splitlines()


def own(**changes):
    np.savez("own.npz", **{name: value for name, value in {**OWN, **changes}.items() if value is not None})
    return {"own": {"kind": "arrays", "path": "own.npz"}}


ARRAYS = {
    "floats": ({"images": IMAGES / 255}, "images are float64 .*they must be uint8"),
    "16 bits": ({"images": IMAGES.astype(np.uint16) * 257}, "images are uint16.*divide by 257"),
    "features": ({"images": IMAGES.reshape(N, -1)}, r"images have shape \(60, 64\)"),
    "channels first": ({"images": np.zeros((N, 3, 8, 8), np.uint8)}, "channels last"),
    "from 1": ({"labels": LABELS + 1}, "do labels count from 1"),
    "one class": ({"labels": np.ones(N, dtype=int), "class_names": np.array(["a", "b"])}, "1 of 2 classes have no"),
    "negative": ({"labels": LABELS - 1}, r"has no clean labels of some examples \(-1, unknown\)"),
    "fractions": ({"labels": LABELS + 0.5}, "must be integers"),
    "one-hot": ({"labels": np.eye(L, dtype=int)[LABELS]}, "one-hot rows"),
    "fewer": ({"labels": LABELS[:-1]}, r"shape \(59,\), there are 60 examples"),
    "a strange word": ({"split": np.where(SPLIT == "test", "val", SPLIT)}, "split of 15 examples is 'val'"),
    "all in test": ({"split": np.full(N, "test")}, "have no training example"),
    "half a split": ({"split": np.where(SPLIT == "test", "test", "")}, "split is empty for 45"),
    "copies": ({"images": np.zeros_like(IMAGES), "split": SPLIT}, "test images are copies"),
    "names": ({"class_names": np.array(["a", "b"])}, "out of range"),
    "tiny": ({"images": IMAGES[:, :2, :2]}, "at least 4×4|copies"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_a_run_would_refuse_are_refused_once(capsys, name):
    changes, message = ARRAYS[name]
    code, _, said = check(capsys, own(**changes))
    assert code == 1 and len(said) == 1
    assert re.search(message, said[0])


ACCEPTED = {
    "plain": {},
    "a gap": {"labels": np.where(LABELS == 1, 3, LABELS)},
    "seen once": {"labels": np.where(np.arange(N) == 5, 3, LABELS)},
    "a split": {"split": SPLIT},
    "narrow labels": {"labels": LABELS.astype(np.uint8)},
    "colour": {"images": np.repeat(IMAGES[..., None], 3, axis=-1)},
    "oblong": {"images": IMAGES[:, :, :6]},
    "names": {"class_names": np.array(["a", "b", "c"])},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_arrays_that_a_run_takes_are_counted(capsys, name):
    code, said, faults = check(capsys, own(**ACCEPTED[name]))
    assert (code, faults) == (0, [])
    assert any(line.startswith("  own: ") and line.endswith(" to test") for line in said)


def test_a_config_alone_is_checked_without_the_data(capsys):
    check(capsys, own(images=IMAGES / 255))
    assert main(["check", "config.yaml", "--quick"]) == 0


def label_file(name, content):
    if isinstance(content, np.ndarray):
        np.save(name, content)
    else:
        Path(name).write_text(content, encoding="utf-8")
    return {"given": {"kind": "human", "path": name}}


HUMAN = {
    "fewer.npy": (LABELS[:-9], "51 labels; the data has 60"),
    "from 1.npy": (LABELS + 1, "count from 1 to 3"),
    "other.npy": (LABELS.astype(float), "holds float64 numbers"),
    "heads.csv": ("a,b\n" + "".join(f"{y},{(y + 1) % L}\n" for y in LABELS), "no column None; it has a, b"),
    "one-hot.csv": ("a,b,c\n" + "".join(f"{y == 0:d},{y == 1:d},{y == 2:d}\n" for y in LABELS), "one-hot"),
    "twice.csv": ("index,label\n" + "0,1\n" * N, "stands in 60 rows"),
}


@pytest.mark.parametrize("name", HUMAN)
@pytest.mark.parametrize("twin", [False, True])
def test_a_label_file_that_a_run_would_refuse_is_refused_once(capsys, name, twin):
    content, message = HUMAN[name]
    noises = label_file(name, content)
    if twin:
        noises = {"twin": {"kind": "matched_twin", "of": noises["given"]}}
    code, _, said = check(capsys, own(), noises)
    assert code == 1 and len(said) == 1 and message in said[0]


def test_labels_that_can_only_be_of_another_order_are_doubted(capsys):
    code, said, _ = check(capsys, own(), label_file("h.npy", np.roll(LABELS, 1)))
    assert code == 0 and any("given: " in line and "differ from the clean ones" in line for line in said)


def test_the_datas_own_noisy_labels_are_missed_before_a_run(capsys):
    code, _, said = check(capsys, own(), {"mine": {"kind": "labels"}})
    assert code == 1 and said == ["noise 'labels': data set 'arrays' brings no noisy labels"]


def test_each_fault_of_several_is_told(capsys):
    sets = {**own(), "other": {"kind": "arrays", "path": "other.npz"}}
    np.savez("other.npz", images=IMAGES / 255, labels=LABELS)
    code, _, said = check(capsys, sets, label_file("h.npy", LABELS + 1))
    assert code == 1 and len(said) == 2


def pictures(**odd):
    for i, y in enumerate(LABELS[:24]):
        path = Path("pets/train", "abc"[y], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(odd.get(f"n{i}", IMAGES[i])).save(path)
    return {"pets": {"kind": "folder", "path": "pets"}}


def test_folders_are_read_to_the_last_picture(capsys):
    assert check(capsys, pictures())[0] == 0
    code, _, said = check(capsys, pictures(n23=IMAGES[0].astype(np.uint16) * 16))
    assert code == 1 and len(said) == 1 and "here from 64 to 3,968" in said[0]


def test_the_head_of_a_table_of_labels_is_read(capsys):
    sets = pictures()
    Path("noisy.csv").write_text("file,class\ntrain/a/0.png,a\n", encoding="utf-8")
    sets["pets"]["labels_csv"] = "noisy.csv"
    code, _, said = check(capsys, sets)
    assert code == 1 and len(said) == 1 and "'file', 'class': path_column and labels_column say" in said[0]


def test_what_would_be_downloaded_is_not(capsys, monkeypatch):
    monkeypatch.setattr(cifar10, "load", lambda: pytest.fail("it is downloaded"))
    code, said, _ = check(capsys, {"photos": {"kind": "cifar10"}})
    assert code == 0 and said[2] == "  photos: its files are not here; the run downloads and reads them"


def test_every_set_that_is_downloaded_says_whether_it_is_here():
    downloaded = [
        name
        for name in registry.names("datasets")
        if "_torchvision" in Path(registry.describe("datasets", name).path).read_text("utf-8")
    ]
    assert len(downloaded) >= 4
    assert all(registry.load("datasets", name).at_hand() is False for name in downloaded)
