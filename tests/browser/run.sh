#!/usr/bin/env bash
# The page in a real browser (make test-browser): installs Debian's chromium where it is absent; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "test-browser: $*" >&2; exit 1; }

if ! command -v chromium >/dev/null; then
    command -v apt-get >/dev/null || fail "needs a program named chromium, and this machine has no apt-get to install it with"
    [[ $(id -u) == 0 ]] || fail "needs chromium; install the Debian package of that name, or run this as root"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
        fail "needs chromium, and apt-get could not install it (see above)"
fi
timeout -k 30 900 .venv/bin/python -m pytest tests/browser -o timeout=300 "$@"
