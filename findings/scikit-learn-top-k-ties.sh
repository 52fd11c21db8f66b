#!/usr/bin/env bash
# Expected: top-k accuracy with k = 1 is the accuracy.
# Happens: of tied scores top_k_accuracy_score takes the class with the highest index (documented), numpy's and
# torch's argmax the one with the lowest: 0.75 against 0.25 on the same scores.
# Version: scikit-learn 1.9.1 with numpy 2.4.6.
# Hurt: whoever evaluates saturated or half-precision outputs, where ties are common, or uses a uniform output as a
# baseline.
# Prints:
#     scikit-learn 1.9.1
#     top-1 accuracy 0.75
#     accuracy of the argmax 0.25
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 scikit-learn==1.9.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import sklearn
from sklearn.metrics import accuracy_score, top_k_accuracy_score

print("scikit-learn", sklearn.__version__)
labels, scores = [2, 2, 2, 0], numpy.full((4, 3), 1 / 3)
top_1 = top_k_accuracy_score(labels, scores, k=1, labels=[0, 1, 2])
argmax = accuracy_score(labels, scores.argmax(axis=1))
print("top-1 accuracy", top_1)
print("accuracy of the argmax", argmax)
as_stated = top_1 == 0.75 and argmax == 0.25
raise SystemExit(0 if as_stated else "changed")
EOF
