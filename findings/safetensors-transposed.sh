#!/usr/bin/env bash
# Expected: what is read is what was saved, or saving refuses an array that is not contiguous (as the torch side
# does).
# Happens: safetensors.numpy.save writes the bytes below the array in memory order: a transposed matrix comes back
# untransposed, every other column comes back as the first ones. No error, no warning.
# Version: safetensors 0.8.0 with numpy 2.4.6 (reported to the project as new in this release).
# Hurt: whoever stores a transition matrix (rows and columns change roles), a slice of labels or of probabilities.
# Prints:
#     safetensors 0.8.0
#     saved [[0.9, 0.3], [0.1, 0.7]]
#     read  [[0.9, 0.1], [0.3, 0.7]]
#     saved [[0, 2], [3, 5]]
#     read  [[0, 1], [2, 3]]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 safetensors==0.8.0 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import safetensors
from safetensors.numpy import load, save

print("safetensors", safetensors.__version__)
transition = numpy.array([[0.9, 0.1], [0.3, 0.7]])
back = load(save({"transition": transition.T}))["transition"]
print("saved", transition.T.tolist())
print("read ", back.tolist())
grid = numpy.arange(6).reshape(2, 3)
every_other = load(save({"grid": grid[:, ::2]}))["grid"]
print("saved", grid[:, ::2].tolist())
print("read ", every_other.tolist())
as_stated = back.tolist() == transition.tolist() and every_other.tolist() == [[0, 1], [2, 3]]
raise SystemExit(0 if as_stated else "changed")
EOF
