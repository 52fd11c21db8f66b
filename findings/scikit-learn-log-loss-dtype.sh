#!/usr/bin/env bash
# Expected: the loss depends on the probabilities. A float32 holds 1e-20 with seven digits.
# Happens: probabilities are clipped at the machine epsilon of their dtype (documented), which is far from the
# smallest number of that dtype: two examples, one confidently wrong, cost 18.0 in float64, 8.0 in float32 and 3.5 in
# float16, and 1e-20 counts as 1.2e-7.
# Version: scikit-learn 1.9.1.
# Hurt: whoever compares the log loss of networks evaluated in different precisions, above all overconfident ones:
# half precision looks far better calibrated.
# Prints:
#     scikit-learn 1.9.1
#     float64 18.02
#     float32 7.97
#     float16 3.46
#     float32 with 1e-20 for the label 7.97 unclipped 23.03
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 scikit-learn==1.9.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import sklearn
from sklearn.metrics import log_loss

print("scikit-learn", sklearn.__version__)
losses = {}
for dtype in ("float64", "float32", "float16"):
    probabilities = numpy.array([[0, 1], [0, 1]], dtype=dtype)
    losses[dtype] = log_loss([0, 1], probabilities)
    print(dtype, round(float(losses[dtype]), 2))
tiny = log_loss([0, 1], numpy.array([[1e-20, 1], [0, 1]], dtype="float32"))
print("float32 with 1e-20 for the label", round(float(tiny), 2), "unclipped", round(float(-numpy.log(1e-20) / 2), 2))
as_stated = losses["float64"] > 2 * losses["float32"] > 4 * losses["float16"] and tiny == losses["float32"]
raise SystemExit(0 if as_stated else "changed")
EOF
