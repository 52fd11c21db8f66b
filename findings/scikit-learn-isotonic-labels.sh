#!/usr/bin/env bash
# Expected: an isotonic map is monotone, so that calibrating a finished classifier leaves its predicted labels, as
# temperature scaling does.
# Happens: each class has its own map, made one against the rest and normalised after: predictions change, and many
# probabilities become exactly 0, for which the log loss of a later mistake has no bound but the clipping.
# Version: scikit-learn 1.9.1.
# Hurt: whoever reports accuracy and calibration of one network, or distils from its calibrated outputs.
# Prints:
#     scikit-learn 1.9.1
#     isotonic predictions changed 30 of 300; probabilities of exactly 0: 338
#     temperature predictions changed 0 of 300; probabilities of exactly 0: 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 scikit-learn==1.9.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

print("scikit-learn", sklearn.__version__)
inputs = numpy.random.default_rng(0).normal(size=(300, 2))
labels = (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 1)
network = LogisticRegression().fit(inputs, labels)
changed, zeros = {}, {}
for method in ("isotonic", "temperature"):
    calibrated = CalibratedClassifierCV(FrozenEstimator(network), method=method).fit(inputs, labels)
    changed[method] = int((calibrated.predict(inputs) != network.predict(inputs)).sum())
    zeros[method] = int((calibrated.predict_proba(inputs) == 0).sum())
    print(method, "predictions changed", changed[method], "of 300; probabilities of exactly 0:", zeros[method])
as_stated = changed["isotonic"] > 0 and zeros["isotonic"] > 0 and changed["temperature"] == zeros["temperature"] == 0
raise SystemExit(0 if as_stated else "changed")
EOF
