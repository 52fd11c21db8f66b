"""The parts of the docs that follow from published runs, written from their tables: `python -m smearlab.cli.published`.

A part stands between `<!-- published: NAME -->` and `<!-- end -->` in any page of the docs.
"""

import re
from collections.abc import Callable
from pathlib import Path

from smearlab.cli.published_answers import answer, runs
from smearlab.cli.published_tables import found_wrong, headlines, noises, own_labels, own_noise, symmetric
from smearlab.core.digest import ROOT
from smearlab.core.errors import UserError
from smearlab.store.files import write_text

PAGES = ("README.md", "docs/*.md", "reports/published/README.md")
PART = re.compile(r"(<!-- published: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
WRITERS: dict[str, Callable[..., str]] = {
    "runs": runs,
    "answer": answer,
    "symmetric": symmetric,
    "noises": noises,
    "headlines": headlines,
    "suspects": found_wrong,
    "own-labels": own_labels,
    "own-noise": own_noise,
}


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages that have such a part."""
    found = sorted(path for pattern in PAGES for path in root.glob(pattern))
    return [path for path in found if PART.search(path.read_text(encoding="utf-8"))]


def written(path: Path, folder: Path) -> str:
    """Return a page with its parts made anew from the runs in `folder`; UserError for a part of an unknown name."""
    page = path.read_text(encoding="utf-8")
    return PART.sub(lambda part: f"{part[1]}{_part(part[2], folder, path)}\n{part[3]}", page)


def _part(call: str, folder: Path, path: Path) -> str:
    name, *arguments = call.split()
    if name not in WRITERS:
        raise UserError(f"{path}: published: {name!r}; allowed are {', '.join(sorted(WRITERS))}")
    return WRITERS[name](folder, *arguments)


def main() -> None:
    """Write every part of every page."""
    for path in pages():
        write_text(path, written(path, ROOT / "reports" / "published"))


if __name__ == "__main__":
    main()
