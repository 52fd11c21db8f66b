#!/usr/bin/env bash
# Expected: the aggregations of a package run with the versions that its own requirements let pip install.
# Happens: classes decorated with attrs lose the base class of scikit-learn's estimators as newer releases look it up:
# Wawa and ZeroBasedSkill raise AttributeError about __sklearn_tags__ on every input, MajorityVote does not.
# Version: crowd-kit 1.4.2 with scikit-learn 1.9.1.
# Hurt: whoever aggregates annotators' labels with skill weights; nothing but a pin of an older scikit-learn helps.
# Prints:
#     crowd-kit 1.4.2
#     scikit-learn 1.9.1
#     MajorityVote {'a': 'cat', 'b': 'cat', 'c': 'cat'}
#     Wawa AttributeError: 'Wawa' object has no attribute '__sklearn_tags__'
#     ZeroBasedSkill AttributeError: 'ZeroBasedSkill' object has no attribute '__sklearn_tags__'
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet crowd-kit==1.4.2 scikit-learn==1.9.1 pandas==3.1.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import importlib.metadata

import pandas
from crowdkit.aggregation import MajorityVote, Wawa, ZeroBasedSkill

for package in ("crowd-kit", "scikit-learn"):
    print(package, importlib.metadata.version(package))
votes = pandas.DataFrame(
    [(task, worker, "cat") for task in "abc" for worker in ("one", "two")], columns=["task", "worker", "label"]
)
print("MajorityVote", MajorityVote().fit_predict(votes).to_dict())
errors = []
for aggregation in (Wawa, ZeroBasedSkill):
    try:
        print(aggregation.__name__, aggregation().fit_predict(votes).to_dict())
    except AttributeError as error:
        errors.append(error)
        print(aggregation.__name__, "AttributeError:", str(error).split(". ")[0].split(": ")[-1])
as_stated = len(errors) == 2 and all("__sklearn_tags__" in str(error) for error in errors)
raise SystemExit(0 if as_stated else "changed")
EOF
