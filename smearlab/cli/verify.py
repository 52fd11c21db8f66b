"""Whether what a grid has left is whole and all there: every seal and every SHA-256, whatever the times say."""

from collections.abc import Iterator
from dataclasses import dataclass

from smearlab.cli.sound import accounts, damages
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.watch.readable import check_readable
from smearlab.watch.rebuild import Disk
from smearlab.watch.records import Records
from smearlab.watch.registration import stamped
from smearlab.watch.seals import found_whole, mark_of, remember


@dataclass(frozen=True)
class Fault:
    """A job whose output is damaged or missing, and one line that begins with the file.

    readable: whether the file could be read, so that it is known to be so.
    """

    node: Node
    text: str
    readable: bool = True


def faults(grid: Grid, *, trusting: bool = False) -> list[Fault]:
    """Return the missing and the damaged files of jobs that were finished.

    trusting: a file that was found whole is not read again as long as its size, its times and its inode stay the same.
    """
    records, disk, before = Records(), Disk(), found_whole()
    whole, found = dict(before), []
    for node in (node for node in nodes_of(grid) if node.rule != "all"):
        marks = {path: mark for path in node.outputs if (mark := mark_of(path)) is not None}
        known = trusting and all(before.get(path) == mark for path, mark in marks.items())
        faulty = list(_of_job(node, records, disk, known=known))
        found += faulty
        whole |= {} if faulty else marks
        for path in node.outputs if faulty else ():
            whole.pop(path, None)
    remember(whole, before)
    return found


def _of_job(node: Node, records: Records, disk: Disk, *, known: bool) -> Iterator[Fault]:
    if any(records.begun(path) is not None for path in node.outputs):
        return  # its last run did not end: Snakemake makes it anew
    if not known and (unread := list(_unreadable(node))):
        yield from unread
        return
    if any(disk.has(path) or records.of(path) is not None for path in node.outputs):
        for path in disk.missing(node.outputs):
            if path not in node.transient:
                yield Fault(node, f"{path}: is missing")
    if not known and disk.has(node.outputs[-1]) and not disk.missing(accounts(node)):
        yield from (Fault(node, str(error)) for error in damages(node))


def _unreadable(node: Node) -> Iterator[Fault]:
    for path in node.outputs:
        try:
            check_readable(path)
        except UserError as error:
            yield Fault(node, str(error), readable=False)


def verify(grid: Grid) -> None:
    """Raise UserError with one line for each damaged or missing file of a grid."""
    if found := [*(fault.text for fault in faults(grid)), *_registration(grid)]:
        raise UserError("\n".join([*found, f"{grid.name}: damaged or missing: {len(found)}"]))


def _registration(grid: Grid) -> Iterator[str]:
    """Yield what is wrong with what the grid's runs were registered with, which no job can make anew."""
    try:
        stamped(grid.name)
    except UserError as error:
        yield str(error)
