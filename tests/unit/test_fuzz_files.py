"""Whatever stands in a file, it is read as what was written or refused in one line that names the file."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import TINY
from smearlab.core.errors import UserError
from smearlab.core.jobs import Replicate
from smearlab.grid.cells import load_grid
from smearlab.noises._label_columns import read_label_file
from smearlab.stages._ran import Reader
from smearlab.store.files import read_sealed, write_sealed
from smearlab.store.labels import matched_transition, read_labels, true_transition
from smearlab.store.tables import read_tables
from smearlab.training.checkpoint import DamagedError, packed, unpacked
from smearlab.training.results import read_weights

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.text(max_size=6).filter(lambda key: key not in ("checksum", "file")), PLAIN, max_size=5)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(reader: Callable[[], Any], path: Path) -> Any:
    """Return what a reader gives, or None where it refuses; fails with anything but one line naming the file."""
    try:
        return reader()
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error) and len(str(error)) < 1000
        return None


def damage(data: st.DataObject, good: bytes) -> bytes:
    """Return the bytes with some of them replaced, cut off, or put in."""
    at = data.draw(st.integers(0, len(good)))
    put = data.draw(st.binary(max_size=8))
    return good[:at] + put + good[data.draw(st.sampled_from([at, at + len(put), at + 1, len(good)])) :]


@SETTINGS
@given(MAPPINGS)
def test_any_mapping_comes_back_as_it_was_written(tmp_path: Path, value: dict) -> None:
    write_sealed(tmp_path / "x.json", value)
    assert read_sealed(tmp_path / "x.json") == json.loads(json.dumps(value))


@SETTINGS
@given(MAPPINGS.filter(bool), st.data())
def test_no_flipped_bit_gives_another_number(tmp_path: Path, value: dict, data: st.DataObject) -> None:
    """A flip in the word `checksum` itself leaves a file without one: all that it says is still there."""
    path = tmp_path / "x.json"
    write_sealed(path, value)
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    path.write_bytes(good[:at] + bytes([good[at] ^ 1 << data.draw(st.integers(0, 7))]) + good[at + 1 :])
    found = read(lambda: read_sealed(path), path)
    assert found is None or value.items() <= found.items()


@SETTINGS
@given(st.binary(max_size=80) | PLAIN.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_mapping_with_its_keys_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    found = read(lambda: read_sealed(path, "replicates"), path)
    assert found is None or "replicates" in found


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 10_000, b'{"a": NaN', b"\xff\xfe"])
def test_deep_long_and_foreign_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert read(lambda: read_sealed(tmp_path / "x.json"), tmp_path / "x.json") is None


def label_files() -> dict[str, bytes]:
    labels = np.array([0, 3, 1, 9], dtype=np.int64)
    npy, npz, pt = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, labels)
    np.savez(npz, labels=labels)
    torch.save({"labels": labels}, pt)
    return {
        ".csv": b"labels,x\n0,a\n3,b\n1,c\n9,d\n",
        ".txt": b"0\n3\n1\n9\n",
        ".tsv": b"labels\tx\n0\ta\n3\tb\n1\tc\n9\td\n",
        ".json": b"[0, 3, 1, 9]",
        ".npy": npy.getvalue(),
        ".npz": npz.getvalue(),
        ".pt": pt.getvalue(),
    }


LABEL_FILES = label_files()


@pytest.mark.parametrize("suffix", LABEL_FILES)
@settings(SETTINGS, max_examples=80)
@given(data=st.data())
def test_a_label_file_of_any_content_is_whole_numbers_or_refused(
    tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    path = tmp_path / f"labels{suffix}"
    path.write_bytes(
        data.draw(st.binary(max_size=60)) if data.draw(st.booleans()) else damage(data, LABEL_FILES[suffix])
    )
    found = read(lambda: read_label_file(path), path)
    columns = {} if found is None else found.columns
    assert all(values.dtype.kind in "iU" and values.ndim == 1 for values in columns.values())


@pytest.mark.parametrize("suffix", LABEL_FILES)
def test_a_good_label_file_is_read(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"labels{suffix}").write_bytes(LABEL_FILES[suffix])
    assert read_label_file(tmp_path / f"labels{suffix}").columns["labels"].tolist() == [0, 3, 1, 9]


ENTRIES = st.fixed_dictionaries(
    {}, optional={"noise_seed": PLAIN, "seed": PLAIN, "status": PLAIN, "metrics": PLAIN, "curves": PLAIN}
)
SAID = st.fixed_dictionaries({}, optional={"replicates": st.lists(ENTRIES | PLAIN, max_size=3) | PLAIN, "code": PLAIN})


@settings(SETTINGS, max_examples=150)
@given(SAID, SAID)
def test_any_run_and_metrics_are_replicates_that_agree_or_refused(tmp_path: Path, run: dict, metrics: dict) -> None:
    grid = load_grid(TINY)
    cell = next(iter(grid.cells.values()))
    folder = tmp_path / cell.key / "paired-0"
    write_sealed(folder / "run.json", run)
    write_sealed(folder / "metrics.json", metrics)
    (folder / "history.csv").write_text("epoch\n")
    found = read(lambda: Reader(grid, tmp_path).block(cell, "paired-0"), folder)
    if found is not None:
        seeds = [(entry["noise_seed"], entry["seed"]) for entry in run["replicates"]]
        assert seeds == [(entry["noise_seed"], entry["seed"]) for entry in metrics["replicates"]]
        assert [(said["noise_seed"], said["seed"]) for said, _ in found.rows()] == seeds


@SETTINGS
@given(st.dictionaries(st.sampled_from(["sha256", "cells", "config", "name"]), PLAIN))
def test_tables_are_not_read_with_a_context_that_is_none(tmp_path: Path, context: dict) -> None:
    for name in ("metrics.parquet", "summary.csv"):
        (tmp_path / name).write_bytes(b"")
    write_sealed(tmp_path / "context.json", {**context, "sha256": {"metrics.parquet": "0" * 64}})
    assert read(lambda: read_tables(tmp_path), tmp_path / "metrics.parquet") is None


@SETTINGS
@given(st.data())
def test_damaged_weights_teach_nobody(tmp_path: Path, data: st.DataObject) -> None:
    good = safetensors.torch.save({"0/last/head.weight": torch.arange(6.0)})
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content := damage(data, good))
    entry = {"noise_seed": 0, "seed": 0, "status": "finished"}
    claimed = sha256(content) if data.draw(st.booleans()) else sha256(good)
    write_sealed(tmp_path / "run.json", {"replicates": [entry], "weights_sha256": claimed})
    found = read(lambda: read_weights(path, tmp_path / "run.json", Replicate(0, 0), "last"), path)
    assert found is None or content == good or claimed != sha256(good)


@SETTINGS
@given(st.data())
def test_a_damaged_checkpoint_is_noticed(data: st.DataObject) -> None:
    good = packed({"a": torch.arange(5.0)}, {"step": 3})
    content = damage(data, good)
    try:
        unpacked(content)
    except DamagedError:
        return
    assert content == good


AUDIT = {
    "noise_seed": 0,
    "labels_sha256": "",
    "dataset_sha256": {},
    "class_counts": [2, 2],
    "transition_asked": None,
    "transition_realised": [[1.0, 0.0], [0.5, 0.5]],
    "realised_noise_rate": 0.25,
}


@SETTINGS
@given(st.sampled_from(sorted(AUDIT)), PLAIN)
def test_labels_are_not_read_with_an_audit_of_others(tmp_path: Path, key: str, value: Any) -> None:
    np.savez(tmp_path / "labels.npz", observed=np.array([0, 1, 1, 0]))
    write_sealed(tmp_path / "audit.json", {**AUDIT, key: value})
    write_sealed(tmp_path / "training.json", {"n": 4, "sha256": {"images": "a", "labels": "b"}})
    with pytest.raises(UserError, match="the labels are not those of"):
        read_labels(tmp_path / "labels.npz", tmp_path / "audit.json", tmp_path / "training.json")
    assert true_transition(AUDIT) is not None and matched_transition(AUDIT) is not None
