"""To which stage a file belongs, by its place alone: the table of stages, read backwards.

Only what smearlab itself writes has a form, by its place and the form of its name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smearlab.grid.cells import RESULTS
from smearlab.grid.dag import STAGES, Stage
from smearlab.host.places import CHECKPOINTS
from smearlab.store import registered
from smearlab.store.timings import TIMINGS

LOGS = "logs"
NAMED = r"[A-Za-z0-9_]+-[0-9a-f]{8}"  # the name of a definition and the hash of its settings
CUT = re.compile(r".*?\{(?:block|name)\}|.*")  # the files of a block are one unit, and so are those of a grid


def _folders() -> set[str]:
    """Return the folders of stages below results/ and logs/, which no grid may be called."""
    places = [place for stage in STAGES.values() for place in (stage.at, stage.log.removeprefix(f"{LOGS}/"))]
    return {first for first in (place.split("/")[0] for place in places) if "{" not in first}


WILDCARDS = {  # any name where it is not told
    "dataset": NAMED,
    "noise": rf"{NAMED}|clean",
    "rate": r"rate=[^/]+",
    "seed": r"\d+",
    "recipe": NAMED,
    "teacher_recipe": NAMED,
    "estimate": r"cross_fit-[^/]+",
    "block": r"(?:paired|crossed)-\d+",
    "name": rf"(?!(?:{'|'.join(sorted(_folders()))})/)[A-Za-z0-9][A-Za-z0-9_]*",
}


@dataclass(frozen=True)
class Form:
    """The places of one file of a stage; output: its name among the stage's outputs, "" for any other file."""

    rule: str
    output: str
    pattern: re.Pattern[str]

    def read(self, below: str) -> dict[str, str] | None:
        """Return what the wildcards stand for, and the `unit`, in a path below the root; None for another file."""
        found = self.pattern.fullmatch(below)
        return found.groupdict() if found else None


def _regex(text: str) -> str:
    """Return the expression of a text with wildcards."""
    pieces = re.split(r"\{(\w+)\}", text)  # a text, a wildcard, a text, …
    return "".join(_group(piece) if k % 2 else re.escape(piece) for k, piece in enumerate(pieces))


def _group(wildcard: str) -> str:
    return f"(?P<{wildcard}>{WILDCARDS.get(wildcard, '[^/]+')})"


def _form(stage: Stage, output: str, before: str, after: str) -> Form:
    """Return the form of files whose path is the place of a stage between two texts; after: an expression."""
    unit, rest = _unit(stage)
    return Form(stage.rule, output, re.compile(f"{re.escape(before)}(?P<unit>{_regex(unit)}){_regex(rest)}{after}"))


def _unit(stage: Stage) -> tuple[str, str]:
    found = CUT.match(stage.at)
    unit = found[0] if found else stage.at
    return unit, stage.at.removeprefix(unit)


def _outputs() -> Iterator[Form]:
    for stage in STAGES.values():
        for output, path in stage.made.items():
            before, _, after = path.partition("{at}")
            if before.startswith(f"{RESULTS}/"):
                yield _form(stage, output, before.removeprefix(f"{RESULTS}/"), re.escape(after))
        if stage.trains:
            yield _form(stage, "", "", re.escape(f"/{TIMINGS}"))


def _registration() -> Form:
    return _form(STAGES["collect"], "", "", re.escape(f"/{registered.NAME}"))


def _logs() -> Iterator[Form]:
    for stage in STAGES.values():
        if "{at}" in stage.log:
            before, _, after = stage.log.removeprefix(f"{LOGS}/").removesuffix(".log").partition("{at}")
            yield _form(stage, "", before, rf"{re.escape(after)}\.{'(?:log|tsv)' if stage.timed else 'log'}")


def _checkpoints() -> Iterator[Form]:
    for stage in STAGES.values():
        if stage.trains:
            yield _form(stage, "", "", r"(?:/\d+-\d+)?\.checkpoint[^/]*")  # one of a block, or one of each of its folds


FORMS = {RESULTS: (*_outputs(), _registration()), LOGS: tuple(_logs()), str(CHECKPOINTS): tuple(_checkpoints())}
UNITS = {rule: re.compile(_regex(_unit(stage)[0])) for rule, stage in STAGES.items()}


def form_of(root: str, below: str) -> tuple[Form, dict[str, str]] | None:
    """Return the form of a file below a root and what its wildcards stand for; None if smearlab writes no such file."""
    return next(((form, found) for form in FORMS[root] if (found := form.read(below)) is not None), None)


def unit_of(root: str, below: str) -> str | None:
    """Return the unit (a data set, the labels of a seed, a block, a grid) to which a file below a root belongs."""
    found = form_of(root, below)
    return found[1]["unit"] if found else None
