"""Writes test/fixtures/safetensors/bytes.safetensors: every byte as a float of 8 bits, and the float32 that PyTorch makes of it.

    python3 test/peers/dtypes.py        needs torch and safetensors
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

every = torch.arange(256, dtype=torch.uint8)
tensors = {"none": torch.zeros(0, 3), "counts": torch.arange(-3, 4, dtype=torch.int8)}
# FNUZ are dtypes of later versions of the format: the test makes their bytes itself.
for name, is_written in {"e4m3fn": True, "e5m2": True, "e4m3fnuz": False, "e5m2fnuz": False}.items():
    floats = every.clone().view(getattr(torch, f"float8_{name}"))
    if is_written:
        tensors[name] = floats
    tensors[f"{name}.float"] = floats.float()
target = Path(__file__).parent.parent / "fixtures/safetensors/bytes.safetensors"
save_file(tensors, target)
print(f"{target.name}: {target.stat().st_size} bytes, torch {torch.__version__}")
