#!/usr/bin/env bash
# Expected: the same value, given in the file or on the command line, is the same value.
# Happens: the file follows YAML 1.1, where a number with an exponent needs a point and a sign (1.0e-3): 1e-3 is text.
# The command line tries Python's float first.
# Version: snakemake 9.27.1.
# Hurt: whoever tries a learning rate on the command line and then writes it into the file: the workflow gets a str,
# or a params change that trains all again.
# Prints:
#     snakemake 9.27.1
#     configfile: CONFIG {'rate': '1e-3'}
#     --config:   CONFIG {'rate': 0.001}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet snakemake==9.27.1 || exit 2
cd "$folder"
export XDG_CACHE_HOME="$folder/cache"
echo "snakemake $(venv/bin/snakemake --version)"

cat > Snakefile <<'EOF'
print("CONFIG", dict(config))
rule all:
EOF
echo "rate: 1e-3" > config.yaml
shown() { venv/bin/snakemake --cores 1 --dry-run "$@" 2>&1 | grep CONFIG; }
file=$(shown --configfile config.yaml)
line=$(shown --config rate=1e-3)
echo "configfile: $file"
echo "--config:   $line"
test "$file" = "CONFIG {'rate': '1e-3'}" && test "$line" = "CONFIG {'rate': 0.001}"
