"""What a hostile file, name or neighbour could try; docs/security.md lists these tests by threat."""

import ast
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import tiny_training as tiny
import torch
from projects import ROOT

from smearlab.core.errors import UserError
from smearlab.core.jobs import Replicate
from smearlab.evaluation.networks import Networks
from smearlab.evaluation.scene import make_scene
from smearlab.store.dataset import HeldOutData, TrainingData
from smearlab.store.files import read_sealed, sha256_file, write_bytes, write_sealed
from smearlab.training.results import read_weights

SOURCES = [*(ROOT / "smearlab").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")]
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "code", "codeop", "ctypes"}
CALLS = {
    *("eval", "exec", "compile", "__import__", "torch.load", "os.system", "os.popen", "numpy.load", "np.load"),
    *("pd.read_pickle", "pandas.read_pickle", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "tarfile.extractall"),
}
ALLOWED = {
    ("smearlab/datasets/_torchvision.py", "pickle"): "CIFAR's own archives: checksum first, restricted unpickler after",
    ("smearlab/noises/_array_pickle.py", "pickle"): "CIFAR-N's .pt files: stand-ins only, nothing of theirs is called",
    ("smearlab/networks/_weights_file.py", "torch.load"): "a user's file of weights, by torch's restricted unpickler",
    ("smearlab/networks/_weights_file.py", "weights_only=True"): "which is that restriction",
    ("smearlab/training/device.py", "ctypes"): "two settings of the C library's memory, constants of ours",
    ("smearlab/host/server.py", "ctypes"): "a job asks the system to end with its guard, a constant of ours",
    ("smearlab/grid/load.py", "yaml.load"): "with a loader derived from SafeLoader that refuses a key given twice",
}


def dangers(tree: ast.AST) -> Iterator[str]:
    """Yield every module, call and keyword in a source file that could run what a file says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from {name.split(".")[0] for name in names} & MODULES
        elif isinstance(node, ast.Call):
            if (name := ast.unparse(node.func)) in CALLS or name.endswith((".extractall", ".read_pickle")):
                yield name
            yield from (
                f"{word.arg}={ast.unparse(word.value)}"
                for word in node.keywords
                if word.arg in ("shell", "allow_pickle", "weights_only") and ast.unparse(word.value) != "False"
            )


def test_nothing_is_unpickled_or_evaluated_but_by_the_restricted_readers() -> None:
    found = {(str(path.relative_to(ROOT)), what) for path in SOURCES for what in dangers(ast.parse(path.read_text()))}
    assert found == set(ALLOWED)


def test_the_search_for_dangers_finds_them() -> None:
    lines = ["import pickle", "from marshal import loads", "eval('1')", "torch.load(p)", "run(c, shell=True)"]
    assert [list(dangers(ast.parse(line))) for line in [*lines, "np.load(p, allow_pickle=True)"]] == [
        ["pickle"],
        ["marshal"],
        ["eval"],
        ["torch.load"],
        ["shell=True"],
        ["np.load", "allow_pickle=True"],
    ]


def test_no_rule_hands_a_name_to_a_shell() -> None:
    rules = [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    assert len(rules) > 5
    assert not [
        path.name for path in rules if re.search(r"^\s*(shell|run)\s*:|\bshell\(", path.read_text(), re.MULTILINE)
    ]


def weights_file(kind: str) -> bytes:
    """Return a hostile weights.safetensors."""
    good = safetensors.torch.save({"0/last/head.weight": torch.zeros(2)})
    header = b'{"0/last/x":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    return {
        "a header of 2^63 bytes": struct.pack("<Q", 2**63) + good[8:],
        "a header longer than the file": struct.pack("<Q", 10**6) + good[8:],
        "a tensor of 4 TiB": struct.pack("<Q", len(header)) + header + bytes(4),
        "no JSON": struct.pack("<Q", 4) + b"\xff\xfe{}" + bytes(8),
        "a pickle": b"\x80\x04cposix\nsystem\n(X\x04\x00\x00\x00trueetR.",
        "names that lead elsewhere": safetensors.torch.save({"../../0/last": torch.zeros(1), "/etc/x": torch.zeros(1)}),
        "other tensors": safetensors.torch.save({"0/last/conv.weight": torch.zeros(3)}),
    }[kind]


HOSTILE = [
    "a header of 2^63 bytes",
    "a header longer than the file",
    "a tensor of 4 TiB",
    "no JSON",
    "a pickle",
    "names that lead elsewhere",
    "other tensors",
]
ENTRY = {"noise_seed": 0, "seed": 0, "status": "finished"}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_weights_are_refused_by_name_before_memory_is_taken(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights_file(kind))
    with pytest.raises(UserError) as error:
        Networks(path, [ENTRY], tiny.recipe(), scene()).load(0, "last")
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_teacher_teaches_nobody(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights_file(kind))
    write_sealed(tmp_path / "run.json", {"replicates": [ENTRY], "weights_sha256": sha256_file(path)})
    if kind in ("other tensors", "names that lead elsewhere"):
        found = read_weights(path, tmp_path / "run.json", Replicate(0, 0), "last")
        assert not {name for name in found if "/" in name or ".." in name}
        return
    with pytest.raises(UserError) as error:
        read_weights(path, tmp_path / "run.json", Replicate(0, 0), "last")
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def scene():
    """Return six grey images of two classes."""
    images = np.arange(6 * 64, dtype=np.uint8).reshape(6, 8, 8, 1)
    labels = np.arange(6) % 2
    part = np.array([0, 0, 0, 0, 1, 1], np.uint8)
    training = TrainingData(images, labels, None, part, np.arange(6), {})
    return make_scene(training, HeldOutData(images, labels, None, np.arange(6), {}), 2, torch.device("cpu"))


def test_a_planted_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that others may write to: links under the final name and under the name beside it."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "run.json").symlink_to(victim)
    write_bytes(tmp_path / "run.json", b"{}")
    assert victim.read_bytes() == b"precious" and not (tmp_path / "run.json").is_symlink()
    monkeypatch.setattr("smearlab.store.files.secrets.token_hex", lambda n: "guessed")
    (tmp_path / ".x.guessed.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "x", b"{}")
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_are_as_open_as_the_user_s_umask_says_and_never_executable(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "deep" / "x", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep" / "x").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o777 & ~mask


def test_a_number_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    write_sealed(tmp_path / "metrics.json", {"test_accuracy": 0.512})
    text = (tmp_path / "metrics.json").read_text()
    (tmp_path / "metrics.json").write_text(text.replace("0.512", "0.912"))
    with pytest.raises(UserError, match=r"metrics\.json: does not match its own checksum; the file is damaged or was"):
        read_sealed(tmp_path / "metrics.json")
