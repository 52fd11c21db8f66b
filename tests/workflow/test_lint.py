"""Code and rules keep their form."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from projects import ROOT, checkout

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
    ],
    ids=["ruff check", "ruff format", "snakefmt"],
)
def test_the_form_is_kept(command):
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakemake_finds_nothing_to_say(tmp_path):
    done = checkout(tmp_path / "checkout").snakemake("--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_slurm_profile_repeats_the_default_one():
    """Only one profile is loaded, and what is done must not depend on which."""
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text(encoding="utf-8"))
        for name in ("default", "slurm")
    )
    assert slurm["rerun-triggers"] == default["rerun-triggers"] == ["mtime", "params", "input"]
    assert {key: slurm.get(key) for key in default} == default
