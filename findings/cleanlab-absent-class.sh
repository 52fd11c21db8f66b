#!/usr/bin/env bash
# Expected: each column of the estimated noise matrix is a distribution (it sums to 1), or the call says that a class
# cannot be estimated.
# Happens: for a class that does not occur among the given labels the columns of both matrices are all zeros, without
# a word, while its prior is a tiny positive number.
# Version: cleanlab 2.9.0.
# Hurt: whoever hands the estimate to forward or backward correction on a subset, a fold or a long-tailed data set:
# the logarithm of 0 or a singular matrix appears later, far from its cause.
# Prints:
#     cleanlab 2.9.0
#     prior [0.5, 0.5, 1e-06]
#     column sums of P(given | true) [1.0, 1.0, 0.0]
#     column sums of P(true | given) [1.0, 1.0, 0.0]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet cleanlab==2.9.0 numpy==2.4.6 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import cleanlab
import numpy
from cleanlab.count import compute_confident_joint, estimate_latent

print("cleanlab", cleanlab.__version__)
labels = numpy.array([0] * 6 + [1] * 4)
probabilities = numpy.full((10, 3), 0.05)
probabilities[numpy.arange(10), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]] = 0.9
joint = compute_confident_joint(labels, probabilities)
prior, noise, inverse = estimate_latent(joint, labels)
print("prior", prior.round(6).tolist())
print("column sums of P(given | true)", noise.sum(axis=0).round(6).tolist())
print("column sums of P(true | given)", inverse.sum(axis=0).round(6).tolist())
as_stated = noise[:, 2].sum() == 0 and inverse[:, 2].sum() == 0 and 0 < prior[2] < 1e-5
raise SystemExit(0 if as_stated else "changed")
EOF
