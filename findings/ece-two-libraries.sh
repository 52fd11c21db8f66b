#!/usr/bin/env bash
# Expected: two libraries that bin the confidence of the predicted class into 15 equal bins give one expected
# calibration error.
# Happens: mapie's top_label_ece bins within each predicted class and averages (the top-label notion, stricter than
# the usual one); uncertainty-calibration's get_ece pools classes as most papers do. A network that is 75 % sure and
# right three times in four has 0.25 here and 0 there.
# Version: mapie 1.6.0 and uncertainty-calibration 0.1.4.
# Hurt: whoever puts a number from one beside a number of a paper that used the other.
# Prints:
#     mapie 1.6.0
#     uncertainty-calibration 0.1.4
#     calibration.get_ece 0.0
#     mapie top_label_ece 0.25
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet mapie==1.6.0 \
    uncertainty-calibration==0.1.4 numpy==2.4.6 scikit-learn==1.9.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import importlib.metadata

import calibration
import numpy
from mapie.metrics.calibration import top_label_ece

for package in ("mapie", "uncertainty-calibration"):
    print(package, importlib.metadata.version(package))
# All are 75 % confident and three in four are right; four of four for class 0, two of four for class 1.
probabilities = numpy.repeat([[0.75, 0.25], [0.25, 0.75]], 4, axis=0)
labels = numpy.array([0, 0, 0, 0, 1, 1, 0, 0])
pooled = calibration.get_ece(probabilities, labels, num_bins=15)
within_classes = top_label_ece(labels, probabilities, num_bins=15)
print("calibration.get_ece", round(float(pooled), 6))
print("mapie top_label_ece", round(float(within_classes), 6))
as_stated = abs(pooled) < 1e-9 and abs(within_classes - 0.25) < 1e-9
raise SystemExit(0 if as_stated else "changed")
EOF
