#!/usr/bin/env bash
# Expected: rows with one field more than the header are refused, or the empty last field is dropped.
# Happens: read_csv takes the first column as an index (documented under index_col) and gives each header name to the
# column to its right, without a warning.
# Version: pandas 3.1.1.
# Hurt: whoever reads label tables that a spreadsheet or a shell loop wrote: noisy labels are taken for the clean
# ones, all of them plausible whole numbers.
# Prints:
#     pandas 3.1.1
#     index       ['a.png', 'b.png']
#     path        [3, 1]
#     label       [5, 1]
#     noisy_label [nan, nan]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 pandas==3.1.1 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import io

import pandas

print("pandas", pandas.__version__)
table = pandas.read_csv(io.StringIO("path,label,noisy_label\na.png,3,5,\nb.png,1,1,\n"))
print("index      ", table.index.tolist())
print("path       ", table.path.tolist())
print("label      ", table.label.tolist())
print("noisy_label", table.noisy_label.tolist())
as_stated = table.path.tolist() == [3, 1] and table.label.tolist() == [5, 1]
raise SystemExit(0 if as_stated else "changed")
EOF
