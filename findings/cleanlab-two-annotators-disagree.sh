#!/usr/bin/env bash
# Expected: a tie is broken, by chance at the latest, and four examples get four labels.
# Happens: two annotators, one of whom says 0 and the other 1 on every example: the tie break rates annotators by the
# examples that are not tied, has none, and is left without candidates: numpy's choice raises ValueError about an
# empty argument. With some agreement there is an answer.
# Version: cleanlab 2.9.0.
# Hurt: whoever votes over small batches, or tests a pipeline with the plainest disagreement; the message names
# neither labels nor annotators.
# Prints:
#     cleanlab 2.9.0
#     one example agreed (4,)
#     none agreed: ValueError: 'a' cannot be empty unless no samples are taken
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet cleanlab==2.9.0 numpy==2.4.6 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import cleanlab
import numpy
from cleanlab.multiannotator import get_majority_vote_label

print("cleanlab", cleanlab.__version__)
print("one example agreed", get_majority_vote_label(numpy.array([[0, 1], [1, 0], [1, 1], [0, 0]]), verbose=False).shape)
try:
    print("none agreed", get_majority_vote_label(numpy.array([[0, 1]] * 4), verbose=False))
    as_stated = False
except ValueError as error:
    print("none agreed: ValueError:", error)
    as_stated = "cannot be empty" in str(error)
raise SystemExit(0 if as_stated else "changed")
EOF
