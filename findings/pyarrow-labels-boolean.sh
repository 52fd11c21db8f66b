#!/usr/bin/env bash
# Expected: a column of 0, 1 and a word is text, or an error, in both readers.
# Happens: pyarrow accepts 0 and 1 as spellings of false and true: with one true in it the column is boolean, and the
# word is no longer to be told from the label 1. pandas gives text.
# Version: pyarrow 26.0.1 and pandas 3.1.1.
# Hurt: whoever checks binary labels after reading: the malformed line has vanished, and the dtype depends on a single
# row.
# Prints:
#     pandas 3.1.1 pyarrow 26.0.1
#     third label 0 | pyarrow int64 [0, 1, 0, 1] | pandas [0, 1, 0, 1]
#     third label true | pyarrow bool [False, True, True, True] | pandas ['0', '1', 'true', '1']
#     third label 2 | pyarrow int64 [0, 1, 2, 1] | pandas [0, 1, 2, 1]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import io

import pandas
import pyarrow
from pyarrow import csv

print("pandas", pandas.__version__, "pyarrow", pyarrow.__version__)
rows = "label\n0\n1\n{}\n1\n"
read = {}
for word in ("0", "true", "2"):
    text = rows.format(word)
    read[word] = csv.read_csv(io.BytesIO(text.encode()))["label"], pandas.read_csv(io.StringIO(text)).label
for word, (arrow, frame) in read.items():
    print("third label", word, "| pyarrow", arrow.type, arrow.to_pylist(), "| pandas", frame.tolist())
as_stated = (
    read["true"][0].to_pylist() == [False, True, True, True]
    and read["true"][1].tolist() == ["0", "1", "true", "1"]
    and str(read["0"][0].type) == "int64"
)
raise SystemExit(0 if as_stated else "changed")
EOF
