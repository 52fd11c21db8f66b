"""What the pages of the published runs say, in a line each and whole."""

import html
import re
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.figures import _format as text
from smearlab.grid.load import read_config
from smearlab.statistics.cells import each_network
from smearlab.store.files import read_json
from smearlab.store.tables import read_csv

EARLIER = "earlier.json"  # what the pages of an earlier release said, by run
ANSWER = re.compile(r'<section id="answer".*?</section>', re.DOTALL)
SAID = re.compile(r'<p( class="headline")?>(.*?)</p>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")
HEAD = (
    "| run | its question | what its page says | what 0.1.0 said | networks | minutes of its jobs | made by |",
    "|---|---|---|---|---|---|---|",
)


def runs(folder: Path) -> str:
    """Return a row for each published run: its question, its answer, what 0.1.0 answered, and what it took."""
    named = sorted(path.parent.name for path in folder.glob("*/report.html"))
    earlier = read_json(folder / EARLIER)
    return "\n".join([*HEAD, *(_run(folder / name, earlier.get(name, text.DASH)) for name in named)])


def _run(folder: Path, earlier: str) -> str:
    made = read_json(folder / "made-with.json")
    minutes = sum(stage["seconds"] for stage in made["cost"]) / 60
    columns = [
        f"[{folder.name}]({folder.name}/report.html)",
        read_config(folder / "config.yaml")["title"],
        sentences(folder)[0],
        earlier,
        str(_networks(folder)),
        f"{minutes:.0f}",
        made["code_version"].partition("+")[0],
    ]
    return "| " + " | ".join(value.replace("|", "\\|") for value in columns) + " |"


def _networks(folder: Path) -> int:
    return len(each_network(read_csv(folder / "metrics.csv")))


def answer(folder: Path, name: str) -> str:
    """Return the answer of a run's page as a quotation."""
    return "\n>\n".join(f"> {sentence}" for sentence in sentences(folder / name))


def sentences(run: Path) -> list[str]:
    """Return the paragraphs of the answer on a run's page, the headline first, as plain text; UserError without one."""
    page = (run / "report.html").read_text(encoding="utf-8")
    found = ANSWER.search(page)
    if not found:
        raise UserError(f"{run / 'report.html'}: has no answer")
    said = [html.unescape(TAG.sub("", part[2])).replace("\u00a0", " ").strip() for part in SAID.finditer(found[0])]
    return [" ".join(sentence.split()) for sentence in said]
