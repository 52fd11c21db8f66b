#!/usr/bin/env bash
# A SLURM cluster on this machine, for tests: cluster.sh up | down. Needs root, slurm-wlm and munge.
#
# Nodes c1 (partition cpu) and g1 (partition gpu, two pretended GPUs), both under the partition `urgent`, which
# preempts. All of it lies in $SMEARLAB_CLUSTER but two links in /etc/slurm: the executor drops SLURM_CONF
# before the srun inside a job, which then looks there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${SMEARLAB_CLUSTER:-/tmp/smearlab-cluster}
export SLURM_CONF=$root/etc/slurm.conf

fail() { echo "tests/slurm: $*" >&2; exit 1; }

link() { # link FILE: /etc/slurm/FILE -> ours, unless a real configuration is there
    local at=/etc/slurm/$1
    if [[ -e $at && $(readlink "$at") != "$root/etc/$1" ]]; then
        fail "$at exists and is not ours: this machine belongs to a real cluster"
    fi
    mkdir -p /etc/slurm
    ln -sfn "$root/etc/$1" "$at"
}

configure() {
    local memory
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.4)}' /proc/meminfo)
    mkdir -p "$root"/{etc,run,log,state,spool/c1,spool/g1}
    chmod 755 "$root" "$root"/*
    (umask 077; head -c 1024 /dev/urandom >"$root/etc/munge.key")
    sed -e "s|@ROOT@|$root|g" -e "s|@HOST@|$(hostname -s)|g" -e "s|@CPUS@|${SMEARLAB_CLUSTER_CPUS:-2}|g" \
        -e "s|@MEMORY@|$memory|g" "$here/slurm.conf.in" >"$root/etc/slurm.conf"
    cp "$here/gres.conf.in" "$root/etc/gres.conf"
    link slurm.conf
    link gres.conf
}

idle_nodes() { sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l; }

up() {
    umask 022
    configure
    munged --key-file="$root/etc/munge.key" --socket="$root/run/munge.socket" --pid-file="$root/run/munged.pid" \
        --log-file="$root/log/munged.log" --seed-file="$root/run/munged.seed"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF" -N c1
    slurmd -f "$SLURM_CONF" -N g1
    for _ in $(seq 150); do
        [[ $(idle_nodes) == 2 ]] && return
        sleep 0.2
    done
    tail -n 5 "$root"/log/*.log >&2
    fail "the nodes did not come up"
}

stop() { # stop NAME: end the process of one of our own pid files
    local pid
    pid=$(cat "$root/run/$1.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

down() {
    local jobs
    jobs=$(squeue -h -o %A 2>/dev/null | sort -u) || true
    if [[ -n ${jobs:-} ]]; then
        # shellcheck disable=SC2086  # one argument a job
        scancel --signal=KILL --full $jobs || true
        # shellcheck disable=SC2086
        scancel $jobs || true
        sleep 2
    fi
    for name in slurmd-c1 slurmd-g1 slurmctld munged; do stop "$name"; done
    for file in slurm.conf gres.conf; do
        if [[ $(readlink "/etc/slurm/$file") == "$root/etc/$file" ]]; then rm "/etc/slurm/$file"; fi
    done
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *) fail "usage: cluster.sh up | down" ;;
esac
