#!/usr/bin/env bash
# Expected: a changed parameter makes the job run again: the default triggers include params.
# Happens: params are compared as a set of values without their names (reported to the project). Exchange the values
# of two of them and there is nothing to be done; the output is the one of the old setting. Any other change is
# noticed.
# Version: snakemake 9.27.1.
# Hurt: whoever compares settings that are permutations (rate and momentum, source and target class, teacher and
# student): the second run shows the first one's numbers.
# Prints:
#     snakemake 9.27.1
#     asked for rate=0.1 momentum=0.9: rate 0.1 momentum 0.9
#     asked for rate=0.9 momentum=0.1: rate 0.1 momentum 0.9
#     asked for rate=0.8 momentum=0.1: rate 0.8 momentum 0.1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet snakemake==9.27.1 || exit 2
cd "$folder"
export XDG_CACHE_HOME="$folder/cache"
echo "snakemake $(venv/bin/snakemake --version)"

cat > Snakefile <<'EOF'
rule train:
    output: "out.txt"
    params: rate=config["rate"], momentum=config["momentum"]
    shell: "echo rate {params.rate} momentum {params.momentum} > {output}"
EOF
run() {
    venv/bin/snakemake --cores 1 --quiet all --config "$@" 2> /dev/null
    echo "asked for $*: $(cat out.txt)"
}
run rate=0.1 momentum=0.9
run rate=0.9 momentum=0.1
swapped=$(cat out.txt)
run rate=0.8 momentum=0.1
test "$swapped" = "rate 0.1 momentum 0.9" && test "$(cat out.txt)" = "rate 0.8 momentum 0.1"
