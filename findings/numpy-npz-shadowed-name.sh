#!/usr/bin/env bash
# Expected: each name that an .npz file lists gives the array that was saved under it.
# Happens: entries are stored with .npy appended and looked up with and without it: where arrays are named after their
# files, labels.npy gives the content of labels.
# Version: numpy 2.4.6.
# Hurt: whoever packs a folder of .npy files into one archive under their file names beside shorter names.
# Prints:
#     numpy 2.4.6
#     names ['labels', 'labels.npy']
#     {'labels': [0, 1], 'labels.npy': [0, 1]}
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
file = io.BytesIO()
numpy.savez(file, **{"labels": numpy.array([0, 1]), "labels.npy": numpy.array([7, 7])})
file.seek(0)
archive = numpy.load(file)
print("names", archive.files)
print({name: archive[name].tolist() for name in archive.files})
as_stated = archive.files == ["labels", "labels.npy"] and archive["labels.npy"].tolist() == [0, 1]
raise SystemExit(0 if as_stated else "changed")
EOF
