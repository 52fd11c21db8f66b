"""Reasons in words: the module, the parameter, the input that changed, the file that is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from smearlab.grid.cells import RESULTS
from smearlab.grid.dag import DATA, EVALUATIONS, LABELS, STUDENTS, TABLES, TEACHERS, Node
from smearlab.store.files import read_json
from smearlab.watch.forms import form_of
from smearlab.watch.reasons import ABSENT, Change, OtherCode, changed_parameters, other_code, sibling
from smearlab.watch.rebuild import Reasons, Rebuild
from smearlab.watch.records import REFUSED

FOLLOWS = "made from what runs before it"
SHOWN = 5
LONGEST = 60  # characters of a value
INPUTS = {  # by the stage that makes them
    "make_dataset": "the data set",
    "make_labels": "the labels of noise seed {seed}",
    "warm_up": "the warm-up networks",
    "estimate_transition": "the estimated T",
    "train_teacher": "the weights",
    "distill_student": "the weights",
}


def title(node: Node) -> str:
    """Return what a job makes, in words, with its name."""
    if node.group in (DATA, LABELS):
        return f"{node.noun} {node.name.partition('/')[2]}"
    return f"{node.noun} {node.name}" if node.group == TABLES else f"{node.noun} of {node.name}"


def summary(rebuild: Rebuild, nodes: Iterable[Node]) -> list[str]:
    """Return a line for each reason with the jobs it concerns, trainings first, and one for what follows from them."""
    groups: dict[tuple[str, str], list[Node]] = defaultdict(list)
    follow: Counter[str] = Counter()
    for node in sorted(nodes, key=lambda node: not node.trains):
        if node.rule == "all":
            continue
        reasons = rebuild.reasons[node]
        if not reasons.own and not reasons.missing:
            follow[node.noun] += 1
            continue
        for reason in _own(rebuild, node):
            groups[reason, "block" if node.trains else node.noun].append(node)
    lines = [
        line
        for (reason, noun), concerned in groups.items()
        for line in (f"{reason}: {number(len(concerned), noun)}", *_some([node.name for node in concerned]))
    ]
    if follow:
        lines.append(f"made from these: {numbers(follow)}")
    return lines


def number(count: int, noun: str) -> str:
    """Return a number of things."""
    plural = noun if noun.endswith(("s", "T")) else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def numbers(counts: Counter[str]) -> str:
    """Return numbers of several things."""
    return ", ".join(number(count, noun) for noun, count in counts.items())


def _some(names: list[str]) -> list[str]:
    more = [f"    … and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return [*(f"    {name}" for name in names[:SHOWN]), *more]


def words(rebuild: Rebuild, node: Node) -> list[str]:
    """Return why a job would run, a line for each reason."""
    reasons = rebuild.reasons[node]
    lines = _own(rebuild, node)
    if reasons.missing and not anything(rebuild, node):
        lines += _new_settings(rebuild, node)
    before = list(dict.fromkeys(reasons.because))
    lines += [f"{FOLLOWS}: {title(other)}{_root(rebuild, other)}" for other in before[:SHOWN]]
    return lines + ([f"… and from {len(before) - SHOWN} more"] if len(before) > SHOWN else [])


def reasons_of(rebuild: Rebuild, node: Node) -> list[str]:
    """Return why a job would run, in as few words as a list of many jobs has room for."""
    return _own(rebuild, node) or [FOLLOWS]


def _own(rebuild: Rebuild, node: Node) -> list[str]:
    """Return the reasons of a job itself, without those that come from jobs before it."""
    reasons = rebuild.reasons[node]
    lines = ["its last run began and did not end"] if reasons.unfinished else []
    lines += [_missing(rebuild, node, reasons)] if reasons.missing else []
    lines += [f"input changed: {_input(path)}" for path in reasons.changed]
    lines += _parameters(node, reasons)
    lines += _listed(rebuild, "input added", reasons.added)
    return lines + _listed(rebuild, "input no longer read", reasons.dropped)


def _listed(rebuild: Rebuild, what: str, paths: list[str]) -> list[str]:
    """Return a line for each path; for many of them what they amount to: replicates more in so many cells."""
    if len(paths) <= SHOWN:
        return [f"{what}: {_input(path)}" for path in paths]
    blocks: dict[str, dict[str, int]] = defaultdict(dict)
    others = 0
    for path in paths:
        node = rebuild.maker.get(path)
        if node is None or node.cell is None:
            others += 1
        else:
            blocks[node.cell.key][node.block] = len(node.cell.replicates(node.block))
    counted = Counter(sum(sizes.values()) for sizes in blocks.values())
    more = "more " if what == "input added" else ""
    said = [f"{number(n, 'replicate')} {more}in {number(cells, 'cell')}" for n, cells in counted.most_common()]
    return [f"{what}: {line}" for line in [*said, *([number(others, "file")] if others else [])]]


def _missing(rebuild: Rebuild, node: Node, reasons: Reasons) -> str:
    if not anything(rebuild, node):
        return (
            "not trained yet" if node.trains else "not evaluated yet" if node.group == EVALUATIONS else "not made yet"
        )
    names = dict.fromkeys(Path(path).name for path in reasons.missing)
    gone = "deleted after use, and needed again" if set(reasons.missing) <= set(node.transient) else "missing"
    return f"{gone}: {', '.join(names)}"


def anything(rebuild: Rebuild, node: Node) -> bool:
    """Return whether any output of a job is there."""
    return any(map(rebuild.disk.has, node.outputs))


def _parameters(node: Node, reasons: Reasons) -> list[str]:
    if reasons.before is None:
        return []
    if REFUSED in reasons.before:
        return [f"refused by adopt: {reasons.before[REFUSED]}"]
    code, values = changed_parameters(node, reasons)
    return _code(code) + told(values) or ["its parameters changed"]


def _code(code: OtherCode | None) -> list[str]:
    if code is None:
        return []
    if code.by_0_1_0:
        return ["made by the code of 0.1.0"]
    return [f"changed: {part}" for part in code.parts or ["code (which module was not noted)"]]


def told(changes: list[Change], name: str = "parameter") -> list[str]:
    """Return a line for each change: its place, what was, what is."""
    return [f"{name} {change.place}: {_value(change.before)} → {_value(change.now)}" for change in changes]


def _value(value: Any) -> str:
    text = "absent" if value is ABSENT else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}…"


def _root(rebuild: Rebuild, node: Node) -> str:
    """Return the reason of the first job before this one that runs of its own accord, to say behind its name."""
    waiting, seen = [node], {node}
    while waiting:
        found = waiting.pop(0)
        if said := _own(rebuild, found):
            return f" ({said[0]})" if found is node else f" (from {title(found)}: {said[0]})"
        fresh = [before for before in rebuild.reasons[found].because if before not in seen]
        seen.update(fresh)
        waiting += fresh
    return ""


def _input(path: str) -> str:
    """Return what an input is, in words, and its path."""
    found = form_of(RESULTS, path.removeprefix(f"{RESULTS}/"))
    if found is None or found[0].rule not in INPUTS:
        return path
    form, values = found
    what = "the test set" if form.output.startswith("test") else INPUTS[form.rule].format(**values)
    return f"{what} ({path})"


def kept(rebuild: Rebuild, node: Node) -> list[str]:
    """Return what is to be said of a job that would not run."""
    lines = []
    missing = [path for path in rebuild.disk.missing(node.outputs) if path not in node.transient]
    if missing:
        names = ", ".join(Path(path).name for path in missing)
        lines.append(f"missing: {names}; nothing that would run needs it: snakemake --cores all {missing[0]} makes it")
    made = rebuild.disk.time(node.outputs[-1])
    if made is not None:
        lines.append(f"made {datetime.fromtimestamp(made):%Y-%m-%d %H:%M}")
        if rebuild.records.of(node.outputs[-1]) is None:
            lines.append("Snakemake has no note of how, and keeps it as it is")
    return lines + _accepted(node)


def _accepted(node: Node) -> list[str]:
    """Return by which other code a block was trained, where the user took it as it is."""
    if node.group not in (TEACHERS, STUDENTS) or not node.trains:
        return []
    try:
        code = other_code(node, str(read_json(node.outputs[-1])["code"]), node.decide()["code"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return []
    if code is None:
        return []
    if code.by_0_1_0:
        return ["trained by the code of 0.1.0 and accepted as it is"]
    since = f": {', '.join(code.parts)} changed since" if code.parts else ""
    return [f"trained by other code and accepted as it is{since}"]


def _new_settings(rebuild: Rebuild, node: Node) -> list[str]:
    """Return in which settings a job that has no outputs yet differs from the newest that only has an other hash."""
    found = sibling(rebuild, node)
    return [f"{found.other} is there, now it is {found.part}", *told(found.changes, "setting")] if found else []
