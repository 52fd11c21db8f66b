"""How long a browser takes to show a report: size, first paint, end of loading.

    python benchmarks/page.py [--turns 3] [PAGE ...]

Each page is opened in Debian's chromium, headless, in a frame of a page that asks the frame for its times; a server on
this machine hands both out. Without a PAGE: every published report. The least of the turns counts.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[1]
WAIT = 300  # seconds
FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking".split()
FRAME = """<!doctype html><title>times</title><style>iframe { width: 1280px; height: 900px }</style>
<iframe src="page.html"></iframe><script>
function tell(times) { fetch("said?" + new URLSearchParams(times)) }
function ask() {
  const timing = document.querySelector("iframe").contentWindow.performance
  const paint = timing.getEntriesByName("first-contentful-paint")[0]
  const loaded = timing.getEntriesByType("navigation")[0].loadEventEnd
  if (paint && loaded) tell({ paint: paint.startTime, loaded }); else setTimeout(ask, 20)
}
ask()
</script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", type=Path, nargs="*", metavar="PAGE")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    for page in options.pages or sorted((ROOT / "reports" / "published").glob("*/report.html")):
        turns = [times(page) for _ in range(options.turns)]
        paint, loaded = (min(turn[name] for turn in turns) for name in ("paint", "loaded"))
        size = page.stat().st_size / 1e6
        print(f"{page}: {size:.2f} MB, first paint {paint:.0f} ms, loaded {loaded:.0f} ms", flush=True)


def times(page: Path) -> dict[str, float]:
    """Open a page in a browser of its own; return the milliseconds to its first paint and to the end of loading."""
    said: Queue[dict[str, float]] = Queue()
    served = {"/": FRAME.encode(), "/page.html": page.read_bytes()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/said":
                said.put({name: float(value) for name, (value,) in parse_qs(asked.query).items()})
            body = served.get(asked.path, b"")
            self.send_response(200 if body else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        command = ["chromium", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return said.get(timeout=WAIT)
        except Empty:
            sys.exit(f"{page}: not shown within {WAIT} s")
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()


if __name__ == "__main__":
    main()
