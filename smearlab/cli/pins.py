"""The conda environments of the rules, written from requirements.lock so that both install the same files.

pip compares hashes as soon as one is given and then refuses what is not listed, so the whole closure is. What pulls in
what is read from the lock's comments (`# via …`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from smearlab.core.digest import ROOT
from smearlab.store.files import write_text

FAMILIES = {
    "train": (
        "what reads data, trains and evaluates",
        (
            "cleanlab filelock numpy pandas pillow pyarrow pydantic pyyaml safetensors scikit-learn scipy torch "
            "torchvision"
        ).split(),
    ),
    "report": (
        "what makes tables, statistics, figures and the page",
        (
            "cleanlab jinja2 markupsafe matplotlib numpy pandas pillow pyarrow pydantic pyyaml scikit-learn scipy "
            "seaborn statsmodels"
        ).split(),
    ),
}
PYTHON = "3.12"


@dataclass(frozen=True)
class Entry:
    """One package of the lock: its requirement (`name==version [; marker]`), its hashes, and what needs it."""

    name: str
    requirement: str
    hashes: tuple[str, ...]
    needed_by: frozenset[str]


def locked() -> list[Entry]:
    """Return all entries of requirements.lock, in its order."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return [_entry(part) for part in re.split(r"\n(?=\S)", text.strip())]


def _entry(text: str) -> Entry:
    requirement, *rest = text.splitlines()
    via = re.findall(r"# +(?:via )?([a-z0-9][a-z0-9.-]*)$", "\n".join(rest), re.MULTILINE)
    return Entry(
        requirement.partition("==")[0],
        requirement.removesuffix("\\").strip(),
        tuple(re.findall(r"--hash=\S+", text)),
        frozenset(via) - {"via"},
    )


def closure(packages: Iterable[str]) -> list[Entry]:
    """Return the entries of packages and of all that they pull in; SystemExit where one is not locked."""
    entries, wanted = locked(), set(packages)
    if absent := sorted(wanted - {entry.name for entry in entries}):
        raise SystemExit(f"requirements.lock: there is no {', '.join(absent)}")
    while more := {entry.name for entry in entries if entry.needed_by & wanted} - wanted:
        wanted |= more
    return [entry for entry in entries if entry.name in wanted]


def environment_text(family: str) -> str:
    """Return one conda environment: python and pip from conda-forge, the rest from the lock, with its hashes."""
    purpose, packages = FAMILIES[family]
    pins = "".join(map(_pin, closure(packages)))
    return (
        f"# For {purpose}, and all that it pulls in. Written from requirements.lock by `make lock`; do not edit.\n"
        "channels:\n  - conda-forge\n"
        f"dependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{pins}"
    )


def _pin(entry: Entry) -> str:
    """Return one line of the pip section, which YAML reads as one although it stands on several."""
    return f"      - {entry.requirement}\n" + "".join(f"        {digest}\n" for digest in entry.hashes)


def environment_path(family: str) -> Path:
    """Return where a family's environment lies."""
    return ROOT / "envs" / f"{family}.yaml"


if __name__ == "__main__":
    for name in FAMILIES:
        write_text(environment_path(name), environment_text(name))
