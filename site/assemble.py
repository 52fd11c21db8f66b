"""Gather what the site is made of: the Markdown pages of the repository, and the files that they link to.

Pages keep their places, so that every link between them works in the repository and on the site alike.
`python site/assemble.py OUT` writes OUT/pages and OUT/mkdocs.yml, or one line for each link that leads nowhere;
`python site/assemble.py OUT --check` one line for each address elsewhere that a built page would load something from.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/**/*.md", "reports/published/README.md", "findings/README.md", "benchmarks/README.md")
REPORTS = "reports/published/*/report.html"
RUNS = "      - All of them: reports/published/README.md\n"  # below this line the contents name each run
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
LOADS = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?![^>]*\brel=[\"']?canonical)[^>]*?\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the Markdown pages, from the root, sorted."""
    return sorted({path.relative_to(root) for pattern in PAGES for path in root.glob(pattern)})


def links(text: str) -> Iterator[str]:
    """Yield the targets of all links and pictures of a page, code apart."""
    plain = CODE.sub("", FENCE.sub("", text))
    yield from (found[1] for found in LINK.finditer(plain))


def anchors(text: str) -> set[str]:
    """Return what a page's headings are called in addresses: lower case, words joined by hyphens, no punctuation."""
    plain = FENCE.sub("", text)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(plain)}


def faults(root: Path = ROOT) -> list[str]:
    """Return a line for each link of a page that leads nowhere in the repository."""
    return [f"{page}: {fault}" for page in pages(root) for fault in _faults(root, page)]


def _faults(root: Path, page: Path) -> Iterator[str]:
    for target in links((root / page).read_text(encoding="utf-8")):
        if ":" in target.partition("/")[0]:
            continue  # an address of the web, or of mail
        path, _, anchor = unquote(target).partition("#")
        found = (root / page.parent / path).resolve() if path else (root / page).resolve()
        if not found.is_relative_to(root):
            yield f"{target} leads out of the repository"
        elif not found.exists():
            yield f"{target} is not there"
        elif found.is_dir() and not (found / "README.md").is_file():
            yield f"{target} is a folder without a page"
        elif anchor and found.suffix == ".md" and anchor not in anchors(found.read_text(encoding="utf-8")):
            yield f"{target}: the page has no such heading"


def assemble(out: Path, root: Path = ROOT) -> None:
    """Copy the pages and the files that they link to into OUT/pages, made anew, and write the config of the site."""
    shutil.rmtree(out / "pages", ignore_errors=True)
    for page in pages(root):
        _copy(root, page, out / "pages")
        for target in links((root / page).read_text(encoding="utf-8")):
            path = unquote(target).partition("#")[0]
            linked = (root / page.parent / path).resolve()
            if path and ":" not in path.partition("/")[0] and linked.is_file():
                _copy(root, linked.relative_to(root), out / "pages")
    (out / "mkdocs.yml").write_text(config(root), encoding="utf-8")


def _copy(root: Path, path: Path, out: Path) -> None:
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / path, out / path)


def config(root: Path = ROOT) -> str:
    """Return the config of the site: its contents, the published runs that are there, at the end all other pages."""
    text = (root / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace(RUNS, RUNS + "".join(_run(path, root) for path in sorted(root.glob(REPORTS))))
    named = set(re.findall(r": (\S+\.md)$", text, re.MULTILINE))
    others = [page for page in pages(root) if str(page) not in named]
    return text + "".join(f"  - {json.dumps(_title(root / page), ensure_ascii=False)}: {page}\n" for page in others)


def _run(report: Path, root: Path) -> str:
    return f"      - {json.dumps(report.parent.name)}: {report.relative_to(root)}\n"


def _title(page: Path) -> str:
    found = HEADING.search(FENCE.sub("", page.read_text(encoding="utf-8")))
    return found[1] if found else page.stem


def loaded_from_elsewhere(built: Path) -> list[str]:
    """Return a line for each address of another host from which a built page would load something."""
    paths = sorted(path for path in built.rglob("*.html"))
    found = ((path, LOADS.finditer(path.read_text(encoding="utf-8"))) for path in paths)
    return [f"{path.relative_to(built)}: loads {one[1] or one[2]}" for path, matches in found for one in matches]


def main(arguments: list[str]) -> None:
    """Assemble or check, as the arguments say."""
    out = Path(arguments[0])
    if broken := loaded_from_elsewhere(out / "html") if "--check" in arguments else faults():
        sys.exit("\n".join(broken))
    if "--check" not in arguments:
        assemble(out)


if __name__ == "__main__":
    main(sys.argv[1:])
