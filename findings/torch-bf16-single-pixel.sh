#!/usr/bin/env bash
# Expected: the gradient of a convolution's weight that no pixel meets is 0, in bfloat16 as in float32.
# Happens: a 3×3 convolution with stride 2 over single pixels, in bfloat16 on a processor with AVX-512, leaves some of
# these entries as the memory was that it got for them. They differ from call to call, and may be inf or nan. Images of
# 2×2, stride 1, float32 and oneDNN's AVX2 code give zeros.
# Version: torch 2.15.0 (as the package index has it: several GB).
# Hurt: whoever trains a deep residual network on small images in bf16 without a GPU (a ResNet-50 below 17×17 pixels, a
# ResNet-18 on 4×4): weights move by what lay in memory, no two runs agree, and some end in nan, at no word.
# Prints:
#     torch 2.15.0
#     entries that no pixel meets are 0: bf16 False, float32 True, images of 2x2 True, stride 1 True
#     entries that no pixel meets are 0, AVX2: bf16 True, float32 True, images of 2x2 True, stride 1 True
set -euo pipefail

grep -q avx512 /proc/cpuinfo || { echo "no AVX-512 here" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --no-cache-dir torch==2.15.0 numpy==2.4.6 || exit 2
cd "$folder"
cat > look.py <<'EOF'
import sys

import torch
from torch.nn.functional import conv2d

torch.set_num_threads(1)


def unmet_are_zero(dtype, side=1, stride=2):
    """Whether the entries that meet padding alone are 0 in the weight's gradient, in each of 20 calls."""
    right = True
    for seed in range(20):
        torch.manual_seed(seed)
        used = [torch.full((64, 64, 3, 3), 3.0, dtype=dtype) for _ in range(8)]
        del used  # memory that others have used before, as in any training
        weight = torch.randn(64, 64, 3, 3, dtype=dtype, requires_grad=True)
        conv2d(torch.randn(8, 64, side, side, dtype=dtype), weight, stride=stride, padding=1).sum().backward()
        unmet = torch.ones(3, 3, dtype=torch.bool)
        unmet[1 : 1 + side, 1 : 1 + side] = False
        right &= bool((weight.grad[:, :, unmet] == 0).all())
    return right


half = torch.bfloat16
found = (unmet_are_zero(half), unmet_are_zero(torch.float32), unmet_are_zero(half, 2), unmet_are_zero(half, stride=1))
said = "bf16 {}, float32 {}, images of 2x2 {}, stride 1 {}".format(*found)
print(f"entries that no pixel meets are 0{sys.argv[1]}: {said}")
raise SystemExit(0 if found == (sys.argv[1] != "", True, True, True) else "changed")
EOF
echo "torch $(venv/bin/python -c 'import torch; print(torch.__version__.partition("+")[0])')"
venv/bin/python look.py ""
ONEDNN_MAX_CPU_ISA=AVX2 venv/bin/python look.py ", AVX2"
