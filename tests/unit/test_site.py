"""The site: every link of every page leads somewhere, and what is assembled is what the pages need."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from smearlab.core.digest import ROOT


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("assemble", ROOT / "site" / "assemble.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


site = load()


def repository(folder: Path, **pages: str) -> Path:
    """A repository of a few pages."""
    for name, text in pages.items():
        path = folder / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "site").mkdir()
    (folder / "site" / "mkdocs.yml").write_text("nav:\n  - Overview: README.md\n", encoding="utf-8")
    return folder


def test_no_link_of_the_repository_leads_nowhere() -> None:
    assert site.faults() == []


def test_every_page_that_the_contents_name_is_there() -> None:
    named = re.findall(r": (\S+\.md)$", (ROOT / "site" / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert set(named) <= {str(page) for page in site.pages()} and len(named) == len(set(named))


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nowhere.md", "nowhere.md is not there"),
        ("docs/other.md#absent", "docs/other.md#absent: the page has no such heading"),
        ("#absent", "#absent: the page has no such heading"),
        ("../outside.md", "../outside.md leads out of the repository"),
        ("docs", "docs is a folder without a page"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(tmp_path, link: str, said: str) -> None:
    root = repository(tmp_path / "here", README=f"# Title\n[text]({link})", docs__other="# A heading\n")
    (tmp_path / "outside.md").touch()
    assert site.faults(root) == [f"README.md: {said}"]


@pytest.mark.parametrize(
    "link", ["docs/other.md#a-heading-of-its-own", "https://example.org/x#y", "#title", "docs/a%20b.txt"]
)
def test_a_link_that_leads_somewhere_is_none(tmp_path, link: str) -> None:
    root = repository(tmp_path, README=f"# Title\n[text]({link})", docs__other="## A *heading*, of its own\n")
    (root / "docs" / "a b.txt").touch()
    assert site.faults(root) == []


def test_code_holds_no_links(tmp_path) -> None:
    text = "# Title\n`[a](b.md)`\n\n```python\nx = y[0](nowhere)\n[c](d.md)\n```\n"
    assert site.faults(repository(tmp_path, README=text)) == []


def test_linked_files_come_along_and_other_pages_are_added_to_the_contents(tmp_path) -> None:
    text = "# Title\n[config](configs/one.yaml) ![picture](docs/p.png) [folder](findings/)"
    root = repository(tmp_path / "here", README=text, docs__other="# Another: page\n", findings__README="# F\n")
    (root / "configs").mkdir()
    for name in ("configs/one.yaml", "configs/two.yaml", "docs/p.png"):
        (root / name).touch()
    site.assemble(tmp_path / "out", root)
    copied = {str(p.relative_to(tmp_path / "out" / "pages")) for p in (tmp_path / "out" / "pages").rglob("*.*")}
    assert copied == {"README.md", "docs/other.md", "findings/README.md", "configs/one.yaml", "docs/p.png"}
    contents = (tmp_path / "out" / "mkdocs.yml").read_text("utf-8").splitlines()
    assert contents[-2:] == ['  - "Another: page": docs/other.md', '  - "F": findings/README.md']


def test_the_contents_name_the_page_of_every_published_run_that_is_there(tmp_path) -> None:
    root = repository(tmp_path, README="# T\n", reports__published__README="# Runs\n[b](b/report.html)")
    (root / "site" / "mkdocs.yml").write_text(f"nav:\n  - Runs:\n{site.RUNS}  - Overview: README.md\n", "utf-8")
    for name in ("b", "a"):
        (root / "reports/published" / name).mkdir()
        (root / "reports/published" / name / "report.html").touch()
    lines = site.config(root).splitlines()
    assert lines[3:5] == [f'      - "{name}": reports/published/{name}/report.html' for name in ("a", "b")]
    assert lines[5:] == ["  - Overview: README.md"]


def test_the_contents_have_the_place_of_the_published_runs() -> None:
    assert site.RUNS in (ROOT / "site" / "mkdocs.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("html", "elsewhere"),
    [
        ('<script src="https://host.org/a.js"></script>', ["https://host.org/a.js"]),
        ("<link rel=stylesheet href=//host.org/a.css>", ["//host.org/a.css"]),
        ('<link rel="canonical" href="https://host.org/">', []),
        ('<a href="https://host.org/">out</a><img src="a.png"><script src="../a.js"></script>', []),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_named(tmp_path, html: str, elsewhere: list[str]) -> None:
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    assert site.loaded_from_elsewhere(tmp_path) == [f"index.html: loads {address}" for address in elsewhere]


def test_the_lock_has_hashes_and_names_no_index() -> None:
    text = (ROOT / "requirements.site.lock").read_text("utf-8")
    packages = [line for line in text.splitlines() if "==" in line]
    assert packages and text.count("--hash=sha256:") >= len(packages) and "index" not in text and "://" not in text
