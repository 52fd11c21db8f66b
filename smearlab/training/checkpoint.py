"""Checkpoints that survive being killed at any moment: tensors and plain values, one file, one predecessor.

A file is the SHA-256 of the rest in hexadecimal, a newline, then safetensors bytes whose metadata hold the plain
values as JSON; nothing is unpickled. A new one is written beside, flushed, and renamed into place after the one
before has been moved to NAME.previous. So at every moment one of the two is whole, and a file that is torn or
damaged is noticed by its hash and passed over.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from smearlab.store.files import write_bytes

Log = Callable[[str], None]
DIGEST_LENGTH = 64
State = tuple[dict[str, Tensor], dict[str, Any]]


class DamagedError(Exception):
    """A checkpoint file that is torn, truncated or altered."""


class Checkpoint:
    """The checkpoint of one job at a path outside the job's outputs; `digest` names job, labels and code."""

    def __init__(self, path: Path, digest: str, log: Log) -> None:
        self.path, self.digest, self.log = path, digest, log

    @property
    def previous(self) -> Path:
        """The checkpoint before the latest."""
        return self.path.with_name(self.path.name + ".previous")

    def save(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Write the state; where the disk refuses, say so and leave what was there, so that training goes on."""
        following = self.path.with_name(self.path.name + ".next")
        try:
            write_bytes(following, packed(tensors, values | {"digest": self.digest}))
            if self.path.exists():
                os.replace(self.path, self.previous)
            os.replace(following, self.path)
        except OSError as error:
            following.unlink(missing_ok=True)
            self.log(f"checkpoint: could not write {self.path} ({error.strerror}); the one before is kept")

    def load(self) -> State | None:
        """Return the latest whole state of this very job, or None; says what it passes over and why."""
        for path in (self.path, self.previous):
            try:
                tensors, values = unpacked(path.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, DamagedError) as error:
                self.log(f"checkpoint: {path} is damaged and passed over ({error})")
                continue
            if values.pop("digest") == self.digest:
                return tensors, values
            self.log(f"checkpoint: {path} IS NOT OF THIS JOB (config, data, labels or code differ) and is ignored")
        return None


def packed(tensors: dict[str, Tensor], values: dict[str, Any]) -> bytes:
    """Return the bytes of a checkpoint file."""
    body = safetensors.torch.save(tensors, metadata={"values": json.dumps(values)})
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unpacked(data: bytes) -> State:
    """Return tensors and values from the bytes of a checkpoint file; DamagedError unless they are what was written."""
    stated, body = data[:DIGEST_LENGTH], data[DIGEST_LENGTH + 1 :]
    if hashlib.sha256(body).hexdigest().encode() != stated:
        raise DamagedError("its hash does not match")
    try:
        (length,) = struct.unpack("<Q", body[:8])
        values = json.loads(json.loads(body[8 : 8 + length])["__metadata__"]["values"])
        return safetensors.torch.load(body), values
    except (struct.error, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DamagedError("it is not a checkpoint file") from error
