#!/usr/bin/env bash
# Expected: a key that works in the config file can be overridden with --config; k is a valid identifier.
# Happens: --config k=3 raises ValueError that a config entry must start with a valid identifier; two letters are
# accepted, and so is k in a file.
# Version: snakemake 9.27.1.
# Hurt: whoever names k (neighbours, folds) or T (temperature) as papers do.
# Prints:
#     snakemake 9.27.1
#     configfile:    CONFIG {'k': 3}
#     --config k=3:  ValueError: Invalid config definition: Config entry must start with a valid identifier.
#     --config kk=3: CONFIG {'kk': 3}
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
echo "k: 3" > config.yaml
shown() { venv/bin/snakemake --cores 1 --dry-run "$@" 2>&1 | grep -E "^CONFIG|^ValueError" || true; }
file=$(shown --configfile config.yaml)
line=$(shown --config k=3)
longer=$(shown --config kk=3)
echo "configfile:    $file"
echo "--config k=3:  $line"
echo "--config kk=3: $longer"
test "$file" = "CONFIG {'k': 3}" && test "${line#*valid identifier}" != "$line" && test "$longer" = "CONFIG {'kk': 3}"
