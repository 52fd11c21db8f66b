#!/usr/bin/env bash
# Expected: two classifiers that are right and wrong on the very same examples do not differ: p is 1, or undefined.
# Happens: with exact=False the continuity correction turns 0 - 0 into 1, which is divided by 0: the statistic is
# infinite and p is 0.0, after no more than numpy's warning about a division. exact=True gives 1.0.
# Version: statsmodels 0.15.0.
# Hurt: whoever compares two networks by their errors: identical predictions come out as the most significant
# difference of the table.
# Prints:
#     statsmodels 0.15.0
#     exact       p = 1.0
#     approximate p = 0.0 statistic inf
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 statsmodels==0.15.0 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import warnings

import statsmodels
from statsmodels.stats.contingency_tables import mcnemar

warnings.simplefilter("ignore")
print("statsmodels", statsmodels.__version__)
table = [[90, 0], [0, 10]]
exact, approximate = mcnemar(table, exact=True), mcnemar(table, exact=False)
print("exact       p =", float(exact.pvalue))
print("approximate p =", float(approximate.pvalue), "statistic", float(approximate.statistic))
as_stated = exact.pvalue == 1 and approximate.pvalue == 0
raise SystemExit(0 if as_stated else "changed")
EOF
