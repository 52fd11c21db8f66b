#!/usr/bin/env bash
# The smoke grid under --use-conda, its rules read by `pip install snakemake numpy` alone: the same bytes as without conda,
# and nothing to do either way. By hand, since it downloads 3 GB: tests/conda/run.sh [FOLDER]
# A conda that cannot reach conda-forge: tests/conda/local_channel.py. Limits: docs/environments.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
if ! command -v conda > /dev/null; then
    echo "tests/conda/run.sh: there is no \`conda\` on this machine, which Snakemake asks for by that name: nothing was tried" >&2
    exit 3
fi
work=${1:-$(mktemp -d -t smearlab-conda.XXXXXX)}
mkdir -p "$work"
echo "conda $(conda --version | cut -d ' ' -f 2), in $work"

"${PYTHON:-.venv/bin/python}" -m venv "$work/bare"
"$work/bare/bin/python" -m pip install --quiet $(sed -nE 's/^(snakemake|numpy)==([^ ;]+).*/\1==\2/p' requirements.lock)
export OMP_NUM_THREADS=1
for name in with without; do
    mkdir -p "$work/$name"
    git -C "$root" archive HEAD | tar -x -C "$work/$name"
done

grid=(--cores all --configfile configs/smoke.yaml)
conda=("$work/bare/bin/snakemake" --use-conda --conda-prefix "$work/envs" "${grid[@]}")
plain=("$root/.venv/bin/snakemake" "${grid[@]}")
(cd "$work/with" && "${conda[@]}" --conda-create-envs-only && "${conda[@]}")
(cd "$work/without" && "${plain[@]}")
sums() { (cd "$1" && find results reports/*.html -type f ! -name timings.json -print0 | sort -z | xargs -0 sha256sum); }
if ! cmp -s <(.venv/bin/python --version) <("$(ls -d "$work"/envs/*_/ | head -1)bin/python" --version); then
    echo "left out, since they name the version of Python, which is another one in .venv: context.json and the page"
    sums() { (cd "$1" && find results -type f ! -name timings.json ! -name context.json -print0 | sort -z | xargs -0 sha256sum); }
fi
diff <(sums "$work/with") <(sums "$work/without")
echo "the same $(sums "$work/with" | wc -l) files with conda and without"

nothing_to_do() { grep -q 'Nothing to be done' <<< "$1" || { echo "$1" >&2; return 1; }; }
nothing_to_do "$(cd "$work/with" && "${plain[@]}" --dry-run 2>&1)"
nothing_to_do "$(cd "$work/without" && "${conda[@]}" --dry-run 2>&1)"
echo "nothing to do either way"

for python in "$work"/envs/*_/bin/python; do
    "$python" -m pip freeze --disable-pip-version-check | sed -nE 's/^([A-Za-z0-9._-]+)==(.*)/\1==\2/p' \
        | tr 'A-Z_' 'a-z-' | grep -v '^pip==' | while read -r pin; do
        grep -q "^$pin\b" requirements.lock || { echo "$python: $pin is not the lock's" >&2; exit 1; }
    done
done
echo "all that conda's environments hold is the lock's"
