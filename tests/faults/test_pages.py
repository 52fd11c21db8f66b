"""The tables of docs/faults.md and docs/security.md name tests that exist."""

import re

import pytest
from projects import ROOT

TESTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("page", ["faults.md", "security.md"])
def test_every_named_test_exists(page: str) -> None:
    named = re.findall(r"`([^`]*)`", "\n".join(cells(page)))
    assert len(named) > 20
    file = ""
    for name in named:
        file = (re.match(r"test_\w+\.py", name) or [file])[0]
        assert file in TESTS, name
        for part in filter(None, re.split(r"…|test_\w+\.py(?:::)?", name)):
            assert re.search(rf"def test_\w*{part.removeprefix('test_')}", TESTS[file]), name


def cells(page: str) -> list[str]:
    """Return the last cell of each row that names tests."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    rows = [line.rstrip(" |").rpartition(" | ")[2] for line in lines if line.startswith("| ")]
    return [cell for cell in rows if "`" in cell]
