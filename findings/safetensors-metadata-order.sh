#!/usr/bin/env bash
# Expected: saving the same content twice gives the same file, as it does without metadata.
# Happens: the metadata's keys are written in an order that is drawn anew at each call; no hash seed of Python fixes
# it.
# Version: safetensors 0.8.0.
# Hurt: whoever tells by a checksum whether a result changed: content-addressed stores, workflow caches,
# reproducibility checks of released weights.
# Prints:
#     safetensors 0.8.0
#     20 saves without metadata: one file
#     20 saves with the same metadata: several files
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet numpy==2.4.6 safetensors==0.8.0 || exit 2
cd "$folder"
venv/bin/python - <<'EOF'
import numpy
import safetensors
from safetensors.numpy import save

print("safetensors", safetensors.__version__)
metadata = {f"key{number}": "value" for number in range(8)}
plain = {save({"labels": numpy.arange(3)}) for _ in range(20)}
described = {save({"labels": numpy.arange(3)}, metadata=metadata) for _ in range(20)}
print("20 saves without metadata:", "one file" if len(plain) == 1 else "several files")
print("20 saves with the same metadata:", "one file" if len(described) == 1 else "several files")
as_stated = len(plain) == 1 and len(described) > 1
raise SystemExit(0 if as_stated else "changed")
EOF
