#!/usr/bin/env bash
# The cluster tests (make test-slurm): brings a SLURM cluster up on this machine, runs pytest tests/slurm, takes it down.
# Needs root on a Debian or Ubuntu machine; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/slurm

fail() { echo "test-slurm: $*" >&2; exit 1; }

[[ $(id -u) == 0 ]] || fail "needs root, because it starts munged, slurmctld and slurmd on this machine (make test does not)"
exec 9>/tmp/smearlab-cluster.lock
flock -n 9 || fail "another run of these tests holds the cluster of this machine"

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    command -v apt-get >/dev/null || fail "needs slurmctld, slurmd and munged; on Debian: packages slurm-wlm and munge"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
fi

SMEARLAB_CLUSTER=$(mktemp -d /tmp/smearlab-cluster.XXXXXX)
export SMEARLAB_CLUSTER SLURM_CONF=$SMEARLAB_CLUSTER/etc/slurm.conf
take_down() {
    local code=$?
    trap - EXIT
    "$here/cluster.sh" down 9>&- || true
    if [[ $code == 0 ]]; then rm -rf "$SMEARLAB_CLUSTER"; else echo "test-slurm: logs are kept in $SMEARLAB_CLUSTER" >&2; fi
    exit "$code"
}
trap take_down EXIT
trap 'exit 130' INT TERM
"$here/cluster.sh" up 9>&-
timeout -k 60 3600 .venv/bin/python -m pytest "$here" -o timeout=1200 --durations=0 "$@" 9>&-
