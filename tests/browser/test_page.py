"""The page in chromium, with names that would like to be more: nothing of theirs runs, and nothing is asked for."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit"))  # the made-up grid of the page's own tests

from fake_grid import DIGITS_CELLS, draw_figures, fake_tables

from smearlab.report.page import render

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore:constrained_layout:UserWarning")]
RAN = "document.dir='rtl'"  # short, because figures must hold these names, and seen in the page afterwards
VIOLATION = "Content Security Policy"
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --enable-logging=stderr --dump-dom --virtual-time-budget=2000
""".split()


@dataclass
class Server:
    """A server on this machine that counts who comes."""

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        found.address = f"http://127.0.0.1:{listening.server_port}"
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield found
        listening.shutdown()


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[str], tuple[str, str]]:
    """Open a page; give what it looks like after its scripts, and what the browser complains of."""

    def look(html: str) -> tuple[str, str]:
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        done = subprocess.run(
            ["chromium", *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "page.html").as_uri()],
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        )
        assert "</html>" in done.stdout, done.stderr
        return done.stdout, done.stderr

    return look


def hostile_page(address: str) -> str:
    """Return the page of a made-up grid whose every name tries to run something or to ask for something."""
    hostile = (
        f"<script>{RAN}</script>",
        f'"><img src="{address}/a" onerror="{RAN}">',
        f'</script></style></title><svg onload="{RAN}">',
        f"</table><iframe src={address}/b></iframe>",
        f"<style>@import '{address}/c'</style>",
        f"javascript:{RAN}",
    )
    named = {"datasets": hostile, "noises": (hostile[0],), "class_names": hostile}
    tables = fake_tables(cells=DIGITS_CELLS[:3], rates=(0.2,), seeds=3, **named)
    tables.context["title"] = hostile[1]
    tables.context["environment"] = dict.fromkeys(hostile, hostile[2])
    tables.context["missing"] = [{"role": "teacher", "method": name, "dataset": name, "why": name} for name in hostile]
    return render(tables, draw_figures(tables))


def ran(page: str) -> bool:
    return 'dir="rtl"' in page.partition("<head")[0]


def test_nothing_of_a_name_runs_and_nothing_is_asked_for(
    server: Server, seen: Callable[[str], tuple[str, str]]
) -> None:
    page, complaints = seen(hostile_page(server.address))
    assert VIOLATION not in complaints and "Uncaught" not in complaints
    assert not ran(page) and server.asked == []
    assert '<th scope="col" aria-sort="none"><button type="button">' in page  # the page's own script has run


def test_the_policy_stops_what_gets_past_the_escaping(server: Server, seen: Callable[[str], tuple[str, str]]) -> None:
    added = f'<img src="{server.address}/added.png" onerror="{RAN}"><p id="p" onclick="1"></p></body>'
    policed = hostile_page(server.address).replace("</body>", added)
    page, complaints = seen(policed)
    assert complaints.count(VIOLATION) >= 2  # the image, and a handler
    assert not ran(page) and server.asked == []


def test_without_the_policy_it_would_run(server: Server, seen: Callable[[str], tuple[str, str]]) -> None:
    added = f'<img src="{server.address}/added.png" onerror="{RAN}"></body>'
    bare = hostile_page(server.address).replace("Content-Security-Policy", "no-policy").replace("</body>", added)
    page, complaints = seen(bare)
    assert VIOLATION not in complaints
    assert ran(page) and server.asked == ["/added.png"]
