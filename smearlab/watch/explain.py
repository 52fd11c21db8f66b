"""Why a job would run again, in words: the module, the parameter, the input that changed, the file that is missing."""

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import DATA, LABELS, TABLES, Node, nodes_of
from smearlab.grid.find import all_grids
from smearlab.grid.jobs import parts_of_code
from smearlab.store.files import read_json
from smearlab.watch import codebook
from smearlab.watch.rebuild import Reasons, Rebuild
from smearlab.watch.records import Records, noted_job

FOLLOWS = "made from what runs before it"
SHOWN = 5
ONE_BY_ONE = 12  # more jobs than these are told together
DEFINED = re.compile(r"(.+)-([0-9a-f]{8})")


def explain(grid: Grid) -> list[str]:
    """Return for each reason for which something of a grid would run again a line, and what it concerns."""
    rebuild = Rebuild(nodes_of(grid), Records())
    if not rebuild.reasons:
        return [f"{grid.name}: nothing would run again"]
    return summary(rebuild, rebuild.reasons)


def explain_path(path: str, configs: Sequence[str] = ()) -> list[str]:
    """Return why what lies at a path below results/ is or will be made again, or that it will not.

    path: a cell, a block, a folder above or a file of one, with or without `results/`; also a page or a log. configs:
    files beside config.yaml and configs/. UserError where no config names it.
    """
    wanted = _normal(path)
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    known: list[str] = []
    unread: list[Path] = []
    for config, grid in all_grids(configs):
        if isinstance(grid, UserError):
            unread.append(config)
            continue
        jobs = nodes_of(grid)
        if found := _matching(jobs, wanted):
            told[tuple(_told(Rebuild(jobs, Records()), found))].append(grid.name)
        known += [output for job in jobs for output in job.outputs]
    if not told:
        raise UserError(_unknown(path, wanted, known, unread))
    if len(told) == 1:
        return list(*told)
    return [line for lines, grids in told.items() for line in (f"for {', '.join(dict.fromkeys(grids))}:", *lines)]


def _told(rebuild: Rebuild, found: list[Node]) -> list[str]:
    if len(found) > ONE_BY_ONE:
        concerned = [job for job in found if rebuild.runs(job)]
        return [f"{len(found)} jobs, {len(concerned)} would run", *summary(rebuild, concerned)]
    lines = []
    for job in found:
        again = rebuild.reasons.get(job)
        state = "up to date" if again is None else "will run again" if _anything(rebuild, job) else "will run"
        lines.append(f"{_title(job)}: {state}")
        said = _kept(rebuild, job) if again is None else words(rebuild, job)
        lines += [f"    {line}" for line in said]
    return lines


def _title(job: Node) -> str:
    """Return what a job makes, in words, with its name."""
    if job.group in (DATA, LABELS):
        return f"{job.noun} {job.name.partition('/')[2]}"
    return f"{job.noun} {job.name}" if job.group == TABLES else f"{job.noun} of {job.name}"


def summary(rebuild: Rebuild, jobs: Iterable[Node]) -> list[str]:
    """Return a line for each reason with the jobs it concerns, trainings first, and one for what follows from them."""
    groups: dict[tuple[str, str], list[Node]] = defaultdict(list)
    follow: Counter[str] = Counter()
    for job in sorted(jobs, key=lambda job: not job.trains):
        if job.rule == "all":
            continue
        reasons = rebuild.reasons[job]
        if not reasons.own and not reasons.missing:
            follow[job.noun] += 1
            continue
        for reason in _reasons(rebuild, job):
            groups[reason, "block" if job.trains else job.noun].append(job)
    lines = [
        line
        for (reason, noun), concerned in groups.items()
        for line in (f"{reason}: {_number(len(concerned), noun)}", *_some([job.name for job in concerned]))
    ]
    if follow:
        lines.append("made from these: " + ", ".join(_number(count, noun) for noun, count in follow.items()))
    return lines


def _number(count: int, noun: str) -> str:
    plural = noun if noun.endswith(("s", "T")) else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _some(names: list[str]) -> list[str]:
    more = [f"    … and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return [*(f"    {name}" for name in names[:SHOWN]), *more]


def words(rebuild: Rebuild, job: Node) -> list[str]:
    """Return why a job would run, a line for each reason."""
    reasons = rebuild.reasons[job]
    lines = _reasons(rebuild, job)
    if reasons.missing and not _anything(rebuild, job):
        lines += _new_settings(rebuild, job)
    before = list(dict.fromkeys(reasons.because))
    lines += [f"{FOLLOWS}: {_title(job)}{_root(rebuild, job)}" for job in before[:SHOWN]]
    return lines + ([f"… and from {len(before) - SHOWN} more"] if len(before) > SHOWN else [])


def reasons_of(rebuild: Rebuild, job: Node) -> list[str]:
    """Return why a job would run, in as few words as a list of many jobs has room for."""
    return _reasons(rebuild, job) or [FOLLOWS]


def _reasons(rebuild: Rebuild, job: Node) -> list[str]:
    """Return the reasons of a job itself, without those that come from jobs before it."""
    reasons = rebuild.reasons[job]
    lines = ["its last run began and did not end"] if reasons.unfinished else []
    lines += [_missing(rebuild, job, reasons)] if reasons.missing else []
    lines += [f"input changed: {_what(path)}" for path in reasons.changed]
    lines += _parameters(job, reasons)
    lines += [f"input added: {_what(path)}" for path in reasons.added]
    return lines + [f"input no longer read: {_what(path)}" for path in reasons.dropped]


def _missing(rebuild: Rebuild, job: Node, reasons: Reasons) -> str:
    if not _anything(rebuild, job):
        return "not trained yet" if job.trains else "not evaluated yet" if "evaluate" in job.rule else "not made yet"
    names = dict.fromkeys(Path(path).name for path in reasons.missing)
    gone = "deleted after use, and needed again" if set(reasons.missing) <= set(job.transient) else "missing"
    return f"{gone}: {', '.join(names)}"


def _anything(rebuild: Rebuild, job: Node) -> bool:
    return any(map(rebuild.disk.has, job.outputs))


def _parameters(job: Node, reasons: Reasons) -> list[str]:
    if reasons.before is None or reasons.now is None:
        return []
    before, now = ({k: v for k, v in job.items() if k != "code"} for job in (reasons.before, reasons.now))
    codes = [str(job.get("code")) for job in (reasons.before, reasons.now)]
    lines = changed_values(before, now)
    if codes[0] != codes[1]:
        parts = _changed_parts(job, *codes)
        lines = [f"changed: {part}" for part in parts or ["code (which module was not noted)"]] + lines
    return lines or ["its parameters changed"]


def _changed_parts(job: Node, before: str, now: str) -> list[str]:
    known = codebook.recall(before, Path(job.outputs[-1]) if job.trains else None)
    return codebook.changes(known, parts_of_code()[now]) if known else []


def changed_values(before: Any, now: Any, name: str = "parameter") -> list[str]:
    """Return a line for each value that differs between two nested dictionaries: its place, what was, what is."""
    old, new = _flat(before), _flat(now)
    absent = "absent"
    return [
        f"{name} {key}: {_short(old.get(key, absent))} → {_short(new.get(key, absent))}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key, absent) != new.get(key, absent)
    ]


def _flat(value: Any, place: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {place: value}
    return {
        key: leaf
        for name, inner in value.items()
        for key, leaf in _flat(inner, f"{place}.{name}" if place else str(name)).items()
    }


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _root(rebuild: Rebuild, job: Node) -> str:
    """Return the reason of the first job before this one that runs of its own accord, to say behind its name."""
    waiting, seen = [job], {job}
    while waiting:
        found = waiting.pop(0)
        if said := _reasons(rebuild, found):
            return f" ({said[0]})" if found is job else f" (from {_title(found)}: {said[0]})"
        fresh = [before for before in rebuild.reasons[found].because if before not in seen]
        seen.update(fresh)
        waiting += fresh
    return ""


def _what(path: str) -> str:
    """Return what an input is, in words, and its path."""
    parts = path.split("/")
    match parts[1:]:
        case ["data", _, "test.json"]:
            what = "the test set"
        case ["data", *_]:
            what = "the data set"
        case ["labels", *_, seed, _]:
            what = f"the labels of noise {seed.replace('=', ' ')}"
        case ["estimates", *_, "run.json"]:
            what = "the warm-up networks"
        case ["estimates", *_]:
            what = "the estimated T"
        case ["teachers" | "students", *_, "run.json"]:
            what = "the weights"
        case _:
            return path
    return f"{what} ({path})"


def _kept(rebuild: Rebuild, job: Node) -> list[str]:
    """Return what is to be said of a job that would not run."""
    lines = []
    missing = [path for path in rebuild.disk.missing(job.outputs) if path not in job.transient]
    if missing:
        names = ", ".join(Path(path).name for path in missing)
        lines.append(f"missing: {names}; nothing that would run needs it: snakemake --cores all {missing[0]} makes it")
    made = rebuild.disk.time(job.outputs[-1])
    if made is not None:
        lines.append(f"made {datetime.fromtimestamp(made):%Y-%m-%d %H:%M}")
        if rebuild.records.of(job.outputs[-1]) is None:
            lines.append("Snakemake has no note of how, and keeps it as it is")
    return lines + _accepted(job)


def _accepted(job: Node) -> list[str]:
    """Return by which other code a block was trained, where the user took it as it is."""
    if job.rule not in ("train_teacher", "distill_student"):
        return []
    try:
        code = read_json(job.outputs[-1])["code"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return []
    now = job.decide()["code"]
    if code == now:
        return []
    parts = _changed_parts(job, str(code), now)
    since = f": {', '.join(parts)} changed since" if parts else ""
    return [f"trained by other code and accepted as it is{since}"]


def _new_settings(rebuild: Rebuild, job: Node) -> list[str]:
    """Return in which settings a job that has no outputs yet differs from the newest that only has an other hash."""
    if not job.trains or (found := _sibling(job)) is None:
        return []
    part, other, name = found
    place = name.split("/").index(other)
    if place == 1:
        theirs, ours = f"{RESULTS}/data/{other}/test.json", f"{RESULTS}/data/{part}/test.json"
    elif place == 2:
        theirs, ours = (f"{RESULTS}/labels/{'/'.join(n.split('/')[1:4])}" for n in (name, job.name))
        seed = f"seed={job.decide()['replicates'][0]['noise_seed']}/audit.json"
        theirs, ours = f"{theirs}/{seed}", f"{ours}/{seed}"
    else:
        theirs, ours = f"{RESULTS}/{name}/run.json", job.outputs[-1]
    key = "contents" if place < 3 else "recipe"
    before = noted_job(rebuild.records.of(theirs) or {}).get(key)
    now = rebuild.maker[ours].decide().get(key)
    if before is None:
        return []
    return [f"{other} is there, now it is {part}", *changed_values(before, now, "setting")]


def _sibling(job: Node) -> tuple[str, str, str] | None:
    """Return (a part of the job's name, what stands for it elsewhere, that name) of the newest equal in all else."""
    parts = job.name.split("/")
    found = []
    for i, part in enumerate(parts):
        if i and (defined := DEFINED.fullmatch(part)):
            for other in _names(Path(RESULTS, *parts[:i])):
                same = DEFINED.fullmatch(other)
                if same and same[1] == defined[1] and other != part:
                    name = "/".join(other if p == part else p for p in parts)
                    run = Path(RESULTS, name, "run.json")
                    if run.is_file():
                        found.append((run.stat().st_mtime, (part, other, name)))
    return max(found)[1] if found else None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _normal(path: str) -> str:
    """Return a path as the jobs spell theirs, as far as its form tells."""
    place = Path(path)
    if place.is_absolute():
        here = Path.cwd()
        place = place.relative_to(here) if place.is_relative_to(here) else place
    return place.as_posix().strip("/")


def _matching(jobs: list[Node], wanted: str) -> list[Node]:
    """Return the jobs whose files lie at or below a path; the path may leave out `results/` and the role."""
    for prefix in ("", f"{RESULTS}/", *(f"{RESULTS}/{role}/" for role in ("teachers", "students", "estimates"))):
        path = f"{prefix}{wanted}"
        found = [
            job
            for job in jobs
            if path in (job.log, f"{RESULTS}/{job.name}")
            or any(output == path or output.startswith(f"{path}/") for output in job.outputs)
        ]
        if found and wanted not in (".", RESULTS):
            return found
    return []


def _unknown(given: str, wanted: str, known: list[str], unread: list[Path]) -> str:
    skipped = f"; not looked at, because they cannot be read: {', '.join(map(str, unread))}" if unread else ""
    below = wanted.removeprefix(f"{RESULTS}/")
    if Path(RESULTS, below).exists() and below not in (".", RESULTS):
        return f"{given}: no config names it (any more); `python -m smearlab clean` lists such results{skipped}"
    near = near_paths(below, [path.removeprefix(f"{RESULTS}/") for path in known])
    hint = f"; near: {', '.join(near)}" if near else ""
    return f"{given}: no cell, block or file of any config{hint}{skipped}"


def near_paths(wanted: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the known paths nearest to a wanted one, of as many parts: the parts are compared one by one."""
    tree: dict[str, Any] = {}
    for path in known:
        place = tree
        for part in path.split("/"):
            place = place.setdefault(part, {})
    paths: list[tuple[list[str], dict[str, Any]]] = [([], tree)]
    for part in wanted.split("/"):
        paths = [
            ([*before, name], below[name])
            for before, below in paths
            for name in difflib.get_close_matches(part, below, n=count, cutoff=0.4)
        ][:count]
    return ["/".join(parts) for parts, _ in paths]
