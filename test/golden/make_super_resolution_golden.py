"""Writes super-resolution.safetensors: two small pictures, and what PyTorch makes of them with the weights that Motif delivers.

    python make_super_resolution_golden.py      (torch, safetensors)
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

folder = Path(__file__).parent
weights = load_file(folder.parent.parent / "resources/models/super-resolution/model.safetensors")
pictures = torch.rand((2, 3, 6, 10), generator=torch.Generator().manual_seed(1))
x, layer = pictures, 0
while f"body.{layer}.weight" in weights:
    weight = weights[f"body.{layer}.weight"].float()
    bias = weights.get(f"body.{layer}.bias")
    x = F.prelu(x, weight) if bias is None else F.conv2d(x, weight, bias.float(), padding=1)
    layer += 1
large = (F.pixel_shuffle(x, 4) + F.interpolate(pictures, scale_factor=4, mode="nearest")).clamp(0, 1)
last = lambda tensor: tensor.permute(0, 2, 3, 1).contiguous()
save_file({"pictures": last(pictures), "large": last(large)}, folder / "super-resolution.safetensors")
