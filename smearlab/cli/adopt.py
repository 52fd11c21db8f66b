"""Results that came from elsewhere, without file times or without Snakemake's notes: checked, and taken as made here.

Every hash in the files is checked, and what they say of the code and the settings that made them. What fits gets one
time and Snakemake's notes, so that nothing of it runs again before something changes. What does not fit is named, and
noted as such, so that the next run makes it anew.
"""

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smearlab.cli.sift import Sifted, sift
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node
from smearlab.watch.codebook import remember
from smearlab.watch.living import refuse_if_alive
from smearlab.watch.rebuild import Disk
from smearlab.watch.records import KNOWN_FORMAT, PLACE, Records, params_text
from smearlab.watch.words import number, numbers


def adopt(grid: Grid) -> Sifted:
    """Check the results of a grid, and let Snakemake see as up to date what fits.

    All of its files get the earliest of their times, so that none is older than what it is made from, and none becomes
    newer to another grid that reads it. UserError while a run is alive in this folder; nothing is written then.
    """
    refuse_if_alive("nothing is adopted")
    found = sift(grid)
    for folder in ("metadata", "incomplete"):
        Path(PLACE, folder).mkdir(parents=True, exist_ok=True)
    book, disk = Records(), Disk()
    for node, refusal in found.refused.items():
        _note(node, refusal.params, book, disk)
    paths = [path for node in found.fitting for path in (*node.outputs, node.benchmark) if path and disk.has(path)]
    moment = min((os.stat(path).st_mtime_ns for path in paths), default=0)
    for node in found.fitting:  # the notes first: with new times alone a file would be kept for ever in silence
        _note(node, node.decide(), book, disk, moment / 1e9)
    for path in paths:
        os.utime(path, ns=(moment, moment))
    remember()
    return found


def _note(node: Node, params: dict[str, Any], book: Records, disk: Disk, time: float | None = None) -> None:
    """Write of each output what Snakemake notes of one that it has made; time: what it gets as its own.

    Of those that are not there too: where one has no note, Snakemake compares no parameters of its job.
    """
    inputs = sorted((*node.inputs, *node.ancient))
    checksums = {path: checksum for path in inputs if (checksum := disk.checksum(path)) is not None}
    for path in node.outputs:
        record = {
            "rule": node.rule,
            "input": inputs,
            "log": [node.log],
            "params": [params_text(params)],
            "record_format_version": KNOWN_FORMAT,
            "incomplete": False,
            "starttime": time or disk.time(path),
            "endtime": time or disk.time(path),
            "input_checksums": checksums,
        }
        place = Path(book.note(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(record), encoding="utf-8")
        place.chmod(place.stat().st_mode | stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)


def lines(grid: Grid, found: Sifted) -> Iterator[str]:
    """Yield what became of the results of a grid."""
    count = len(found.fitting) + len(found.refused) + len(found.absent) + len(found.following)
    yield f"{grid.name}: {len(found.fitting)} of {count} jobs adopted; Snakemake sees their files as up to date"
    silent = Counter(node.noun for node, says_code in found.fitting.items() if not says_code)
    if silent:
        yield f"by which code is not said in the files themselves of {numbers(silent)}: taken as made by today's"
    if found.unchecked:
        yield f"not there, and not checked: {number(len(found.unchecked), 'file')}, as {found.unchecked[0]}"
    for heading, damage in (
        (f"damaged; made anew by make run, or python -m smearlab repair {grid.name}:", True),
        ("refused, and made anew:", False),
    ):
        told = [refusal.text for refusal in found.refused.values() if refusal.damage == damage]
        yield from [heading] if told else []
        yield from (f"    {text}" for text in told)
    for heading, nodes in (("made again after these", found.following), ("not there yet", found.absent)):
        if nodes:
            yield f"{heading}: {numbers(Counter(node.noun for node in nodes))}"
