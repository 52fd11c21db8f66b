#!/usr/bin/env bash
# Expected: annotators who agree on everything are the easiest case: the label that all gave.
# Happens: MMSR raises ZeroDivisionError where one class alone occurs; MajorityVote and DawidSkene answer.
# Version: crowd-kit 1.4.2.
# Hurt: whoever aggregates in parts (per batch, per hour, per class folder), one of which holds a single label.
# Prints:
#     crowd-kit 1.4.2
#     MajorityVote {'a': 'cat', 'b': 'cat'}
#     DawidSkene {'a': 'cat', 'b': 'cat'}
#     MMSR ZeroDivisionError: division by zero
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet crowd-kit==1.4.2 scikit-learn==1.9.1 pandas==3.1.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import importlib.metadata

import pandas
from crowdkit.aggregation import MMSR, DawidSkene, MajorityVote

print("crowd-kit", importlib.metadata.version("crowd-kit"))
votes = pandas.DataFrame(
    [(task, worker, "cat") for task in "ab" for worker in ("one", "two")], columns=["task", "worker", "label"]
)
for aggregation in (MajorityVote, DawidSkene):
    print(aggregation.__name__, aggregation().fit_predict(votes).to_dict())
try:
    print("MMSR", MMSR().fit_predict(votes).to_dict())
    as_stated = False
except ZeroDivisionError as error:
    print("MMSR ZeroDivisionError:", error)
    as_stated = True
raise SystemExit(0 if as_stated else "changed")
EOF
