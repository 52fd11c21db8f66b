"""The conda environments of the rules, written from requirements.lock so that both install the same versions."""

import re
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


def environment_text(family: str) -> str:
    """Return one conda environment: python and pip from conda-forge, the rest as exact pip pins from the lock."""
    purpose, packages = FAMILIES[family]
    pins = "".join(f"      - {package}=={version(package)}\n" for package in packages)
    return (
        f"# For {purpose}. Written from requirements.lock by `make lock`; do not edit.\n"
        "channels:\n  - conda-forge\n"
        f"dependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{pins}"
    )


def version(package: str) -> str:
    """Return the one locked version of a package."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = set(re.findall(rf"^{re.escape(package)}==([^\s;\\]+)", text, re.MULTILINE))
    if len(found) != 1:
        raise SystemExit(f"requirements.lock: {package} has {len(found)} versions; one is needed")
    return found.pop()


def environment_path(family: str) -> Path:
    """Return where a family's environment lies."""
    return ROOT / "envs" / f"{family}.yaml"


if __name__ == "__main__":
    for name in FAMILIES:
        write_text(environment_path(name), environment_text(name))
