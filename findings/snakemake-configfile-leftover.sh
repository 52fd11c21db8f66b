#!/usr/bin/env bash
# Expected: the second file's `method` stands in place of the first one's, as its lists and numbers do.
# Happens: mappings are merged at every depth (documented) while lists are replaced: the plain method still has the
# alpha of the method that it replaces, and no form of the second file takes it away.
# Version: snakemake 9.27.1.
# Hurt: whoever keeps a base config and small overrides: an option of another method travels along, and is used where
# both methods know it.
# Prints:
#     snakemake 9.27.1
#     CONFIG {'method': {'name': 'plain', 'alpha': 0.1}}
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
echo "method: {name: smoothing, alpha: 0.1}" > base.yaml
echo "method: {name: plain}" > override.yaml
shown=$(venv/bin/snakemake --cores 1 --dry-run --configfile base.yaml override.yaml 2>&1 | grep CONFIG)
echo "$shown"
test "$shown" = "CONFIG {'method': {'name': 'plain', 'alpha': 0.1}}"
