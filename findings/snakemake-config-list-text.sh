#!/usr/bin/env bash
# Expected: --config reads values as YAML: 1 alone is a number, and so are the items of [1, 2].
# Happens: items of lists and mappings stay text: seed=1 gives 1, seeds=[1, 2] gives '1' and '2', {rate: 0.2} gives
# '0.2'.
# Version: snakemake 9.27.1.
# Hurt: whoever overrides a list of seeds or rates for a quick run: paths look the same while comparisons and sums
# behave otherwise ('1' * 2 is '11').
# Prints:
#     snakemake 9.27.1
#     CONFIG {'seeds': ['1', '2'], 'seed': 1, 'noise': {'rate': '0.2'}}
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
values=('seeds=[1, 2]' seed=1 'noise={rate: 0.2}')
shown=$(venv/bin/snakemake --cores 1 --dry-run --config "${values[@]}" 2>&1 | grep CONFIG)
echo "$shown"
test "$shown" = "CONFIG {'seeds': ['1', '2'], 'seed': 1, 'noise': {'rate': '0.2'}}"
