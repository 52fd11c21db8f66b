#!/usr/bin/env bash
# Expected: reading a column of labels as int fails at a line that holds a name or 1.0, as numpy.loadtxt does.
# Happens: numpy.genfromtxt puts -1, its value for missing integers (documented as a fill value), in place of what it
# cannot convert, without a warning. As an index -1 is the last class.
# Version: numpy 2.4.6.
# Hurt: whoever reads published label lists, one label a line, partly names or written as floats by another program:
# label noise in one direction, made by the reader.
# Prints:
#     numpy 2.4.6
#     labels [3, -1, -1, 5]
#     names  ['cat', 'truck', 'truck', 'truck']
#     loadtxt refuses True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import io

import numpy

print("numpy", numpy.__version__)
labels = numpy.genfromtxt(io.StringIO("3\ncat\n1.0\n5\n"), dtype=int)
names = numpy.array(["plane", "car", "bird", "cat", "deer", "truck"])
print("labels", labels.tolist())
print("names ", names[labels].tolist())
try:
    numpy.loadtxt(io.StringIO("3\ncat\n"), dtype=int)
    refused = False
except ValueError:
    refused = True
print("loadtxt refuses", refused)
as_stated = labels.tolist() == [3, -1, -1, 5] and refused
raise SystemExit(0 if as_stated else "changed")
EOF
