"""The status of a grid on a terminal: plain lines, JSON, or live with rich."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from smearlab.grid.cells import Grid
from smearlab.grid.dag import nodes_of
from smearlab.host.durations import duration
from smearlab.watch.status import STATES, Entry, Status, look
from smearlab.watch.words import FOLLOWS

LIVE, PLAIN = 2.0, 10.0  # seconds between two looks
LOOK_SHARE = 0.1  # of the time is spent in looking, at most
SHOWN = 10
BAR, COUNTS = 96, 66  # columns that a terminal needs for the stages as counts with a bar, and without
Part = tuple[str, list[str]]


def show(grid: Grid, *, as_json: bool = False) -> None:
    """Print where a grid is."""
    status = look(grid)
    print(json.dumps(status.as_json(), indent=2, ensure_ascii=False) if as_json else "\n".join(lines(status)))


def watch(grid: Grid, *, as_json: bool = False, pause: float | None = None) -> None:
    """Show where a grid is until it is done or the user has seen enough (Ctrl-C): live on a terminal, else in lines.

    With as_json one line a look. pause: seconds between two looks.
    """
    try:
        if as_json:
            _repeat(grid, lambda status: print(json.dumps(status.as_json(), ensure_ascii=False), flush=True), pause)
        elif sys.stdout.isatty():
            _live(grid, pause)
        else:
            _repeat(grid, _Lines(), pause)
    except KeyboardInterrupt:
        return
    if not as_json:
        print("complete", flush=True)


def _repeat(grid: Grid, tell: Callable[[Status], None], pause: float | None, usual: float = PLAIN) -> None:
    nodes = nodes_of(grid)
    while True:
        began = time.monotonic()
        status = look(grid, nodes)
        took = time.monotonic() - began
        tell(status)
        if status.complete:
            return
        time.sleep(pause if pause is not None else max(usual, took / LOOK_SHARE))


class _Lines:
    """Tells the whole status once, then a line when something moved, and each failure once."""

    def __init__(self) -> None:
        self.last: str | None = None
        self.told: set[str] = set()

    def __call__(self, status: Status) -> None:
        new = [f"failed: {_failed(entry)}" for entry in status.failed]
        said = headline(status)
        if self.last is None:
            print("\n".join(lines(status)))
        elif said != self.last or set(new) - self.told:
            print(f"{datetime.now():%H:%M:%S} {said}; {time_left(status)}")
            print("".join(f"  {line}\n" for line in new if line not in self.told), end="")
        self.last, self.told = said, self.told | set(new)
        sys.stdout.flush()


def lines(status: Status) -> list[str]:
    """Return a status in words."""
    told = [headline(status), *_table(status)]
    for title, entries in parts(status):
        if entries:
            more = [f"  … and {len(entries) - SHOWN} more"] if len(entries) > SHOWN else []
            told += [title, *(f"  {entry}" for entry in entries[:SHOWN]), *more]
    return [*told, time_left(status)]


def headline(status: Status) -> str:
    """Return how many cells are in which state."""
    counts = status.cells
    others = [f"{counts[state]} {state}" for state in (*STATES[1:], "diverged") if counts[state]]
    return ", ".join([f"{status.grid}: {counts['done']} of {counts['total']} cells done", *others])


def parts(status: Status) -> list[Part]:
    """Return the lists of a status, each with its title; some are empty."""
    return [
        ("running", [_running(entry) for entry in status.running]),
        ("failed", [_failed(entry) for entry in status.failed]),
        ("diverged (a result, counted as such)", [_diverged(entry) for entry in status.diverged]),
        (f"stale (python -m smearlab explain {status.grid} says more)", _stale(status)),
        ("damaged or missing", [f"{entry['path']}: {entry['what']}" for entry in status.damaged]),
    ]


def time_left(status: Status) -> str:
    """Return how long the grid still takes, and where that is known from."""
    left = status.time_left
    if left is None:
        return "nothing is left to do"
    start = "" if status.running else "once it is started, "
    from_where = {
        "finished runs": "learnt from the finished runs of this grid",
        "plan": "by the plan: nothing of this kind is finished yet",
    }.get(left.source, f"{left.learnt} of {left.jobs} jobs learnt from finished runs, the others by the plan")
    return f"time left: {start}about {duration(left.seconds)} with {left.at_once} at once ({from_where})"


def _table(status: Status) -> list[str]:
    columns = ("total", *STATES)
    rows: list[tuple[str, ...]] = [("", *columns)]
    rows += [(stage, *(str(counts[c] or "") for c in columns)) for stage, counts in status.stages.items()]
    begun = {stage: f"   {c['begun']} of those waiting have begun" for stage, c in status.stages.items() if c["begun"]}
    return [f"  {row[0]:<12}" + "".join(f"{cell:>9}" for cell in row[1:]) + begun.get(row[0], "") for row in rows]


def _running(entry: Entry) -> str:
    return ", ".join([f"{entry['job']}: {doing(entry)}", *_pace(entry)]) + _by(entry)


def doing(entry: Entry) -> str:
    """Return which replicate and epoch a running job is at."""
    said = []
    for what in ("replicate", "fold", "epoch"):
        if entry.get(what) is not None:
            said.append(f"{what} {entry[what]} of {entry[f'{what}s']}")
    return ", ".join(said) or ("started" if "epoch" in entry else "being made")


def _pace(entry: Entry) -> list[str]:
    said = [f"{entry['images_per_second']:,.0f} images/s"] if entry.get("images_per_second") else []
    return [*said, f"{duration(entry['seconds_left'])} left"] if entry["seconds_left"] is not None else said


def _by(entry: Entry) -> str:
    return f" ({entry['owner']})" if entry["owner"] else ""


def _failed(entry: Entry) -> str:
    return f"{entry['stage']} {entry['job']}: {entry['error']} ({entry['log']})"


def _diverged(entry: Entry) -> str:
    return f"{entry['job']} (noise seed {entry['noise_seed']}, seed {entry['seed']}): {entry['reason']}"


def _stale(status: Status) -> list[str]:
    """Return the reasons for which something is stale, with how much that is, the most frequent first."""
    counts = Counter((entry["stage"], reason) for entry in status.stale for reason in entry["reasons"])
    follow = sum(count for (_, reason), count in counts.items() if reason == FOLLOWS)
    own = [f"{count} in {stage}: {reason}" for (stage, reason), count in counts.most_common() if reason != FOLLOWS]
    return [*own, *([f"{follow} {FOLLOWS}"] if follow else [])]


def _live(grid: Grid, pause: float | None) -> None:
    try:
        from rich.live import Live
    except ModuleNotFoundError:  # an environment made from an older lock
        _repeat(grid, _Lines(), pause)
        return
    with Live(auto_refresh=False, transient=False) as screen:
        _repeat(grid, lambda status: screen.update(_page(status, screen.console.width), refresh=True), pause, LIVE)


def _page(status: Status, width: int = BAR) -> Any:
    """Return a status as something that rich shows; names and messages are plain text, whatever they contain.

    width: columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    shown = [Text(headline(status), style="bold"), _overview(status, width)]
    if status.running:
        shown.append(_now(status.running))
    colours = {"failed": "red", "stale": "yellow", "damaged": "red"}
    for title, entries in parts(status)[1:]:
        if entries:
            shown.append(Text(title, style=colours.get(title.split(" ")[0], "magenta")))
            shown += [Text(f"  {entry}") for entry in entries[:SHOWN]]
            shown += [Text(f"  … and {len(entries) - SHOWN} more")] if len(entries) > SHOWN else []
    return Group(*shown, Text(f"{time_left(status)}   {datetime.now():%H:%M:%S}"))


def _overview(status: Status, width: int) -> Any:
    """Return the stages as a table; as a line each where the terminal has no room for its columns."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if width < COUNTS:
        return Text("\n".join(_briefly(stage, counts) for stage, counts in status.stages.items()))
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    if width >= BAR:
        table.add_column("", width=24)
    for state in ("total", *STATES):
        table.add_column(state, justify="right", style={"failed": "red", "stale": "yellow"}.get(state))
    for stage, counts in status.stages.items():
        bar = [ProgressBar(total=counts["total"], completed=counts["done"], width=24)] if width >= BAR else []
        table.add_row(stage, *bar, *(str(counts[state] or "") for state in ("total", *STATES)))
    return table


def _briefly(stage: str, counts: dict[str, int]) -> str:
    others = [f"{counts[state]} {state}" for state in STATES[1:] if counts[state]]
    return ", ".join([f"{stage} {counts['done']}/{counts['total']}", *others])


def _now(running: list[Entry]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("running", "at", "pace"):
        table.add_column(title, overflow="fold")
    for entry in running[:SHOWN]:
        table.add_row(Text(entry["job"]), doing(entry), ", ".join(_pace(entry)))
    if len(running) > SHOWN:
        table.add_row(f"… and {len(running) - SHOWN} more", "", "")
    return table
