#!/usr/bin/env bash
# Expected: a NaN among the p-values (a test that could not be computed) is left out, carried through, or refused, in
# one way for every method.
# Happens: multipletests says nothing. Benjamini-Hochberg makes every adjusted p-value NaN and still calls hypotheses
# rejected; Holm counts the NaN as a test, so that the other adjusted values grow.
# Version: statsmodels 0.15.0.
# Hurt: whoever corrects a grid of comparisons one of which was undefined: the two returned columns contradict each
# other.
# Prints:
#     statsmodels 0.15.0
#     holm rejects [True, False, False, False] adjusted [0.04, 0.06, nan, 0.06]
#     fdr_bh rejects [True, True, False, True] adjusted [nan, nan, nan, nan]
#     holm without the NaN [0.03, 0.04, 0.04]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 statsmodels==0.15.0 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import statsmodels
from statsmodels.stats.multitest import multipletests

print("statsmodels", statsmodels.__version__)
with_nan = [0.01, 0.02, numpy.nan, 0.03]
adjusted = {}
for method in ("holm", "fdr_bh"):
    rejected, adjusted[method], *_ = multipletests(with_nan, method=method)
    print(method, "rejects", rejected.tolist(), "adjusted", adjusted[method].tolist())
    if method == "fdr_bh":
        contradicts = bool(rejected.any() and numpy.isnan(adjusted[method]).all())
_, three, *_ = multipletests([0.01, 0.02, 0.03], method="holm")
print("holm without the NaN", three.tolist())
as_stated = contradicts and numpy.isclose(adjusted["holm"][0], 0.04) and numpy.isclose(three[0], 0.03)
raise SystemExit(0 if as_stated else "changed")
EOF
